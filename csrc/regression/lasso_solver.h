#pragma once

#include <cstdint>
#include <vector>

#include "regression/cpu/lasso_kernels.h"
#include "regression/extrapolation.h"

namespace likewise {

// scale * X'X (units x units), scale * Y'X (targets x units) and scale * |y|^2.
struct LassoMoments {
  int64_t units, targets;
  std::vector<double> gram, cross, squares;
  std::vector<double> inverse_diagonal;  // of the Gram matrix; 0 of constant units
};

// One target. The working set holds the units whose weights may differ from zero; its Gram matrix
// is kept compact, so that sweeps stay in the first-level cache. Once it holds a good part of all
// units the solver is dense: weights and residuals are of all units, and targets take turns with
// every panel of the Gram matrix, which is too large to be read for each of them alone.
class LassoSolver {
 public:
  explicit LassoSolver(const LassoMoments& moments)
      : m_(moments), kernels_(lasso_kernels_for_this_cpu()) {}

  // `residual`: room for as many numbers as there are units, X'(y - Xw) of all of them.
  void start(int64_t target, double* residual);
  double* residual() const { return residual_; }

  bool dense() const { return dense_; }

  // The path's next penalty, before anything else.
  void set_out(double penalty);

  // Of a solver that is not dense, until it is solved or becomes dense; false if its gap stayed
  // above `tolerance`.
  bool solve(double tolerance);

  // Of a dense solver: sweeps over the units [first, first + count) and says how weights have
  // changed, for which the residuals are owed; pays that, with the units' rows of the Gram matrix;
  // and what follows a sweep over all units.
  void sweep_panel(int64_t first, int64_t count, double* changes);
  void change_residual(const double* rows, int64_t count, const double* changes);
  void accelerate() { accelerate(m_.gram.data(), m_.units, residual_); }

  // Whether the gap is at most `tolerance` of what predicting nothing costs.
  bool is_solved(double tolerance);

  double objective() const { return objective_; }
  double gap() const { return gap_; }
  double loss() const { return loss_; }
  double correlation() const { return correlation_; }
  void write_weights(double* out) const;

 private:
  bool grow();
  void spread();
  void add(int32_t unit);
  int64_t descend(double change);
  void accelerate(const double* gram, int64_t ld, double* residual);
  bool find_direction(const double* gram, int64_t ld);
  bool jump(const double* gram, int64_t ld, double* residual);
  void bring_up_to_date();
  double objective_of(const std::vector<double>& w, const double* r, bool of_all) const;
  void evaluate();

  const LassoMoments& m_;
  const LassoKernels& kernels_;
  const double* cross_ = nullptr;
  double squares_ = 0, penalty_ = 0;
  double* residual_ = nullptr;
  std::vector<char> member_;
  std::vector<int32_t> set_, violators_, moved_, used_;
  std::vector<double> weights_, inverse_diagonal_, gram_, local_, before_, changes_;
  int64_t ld_ = 0;
  bool dense_ = false;
  int64_t sweeps_ = 0;  // since the last jump
  Extrapolation extrapolation_;
  std::vector<double> root_, direction_;
  double earlier_penalty_ = 0;  // with the solution before this one
  std::vector<double> earlier_weights_, earlier_residual_;
  double objective_ = 0, gap_ = 0, loss_ = 0, correlation_ = 0;
};

}  // namespace likewise

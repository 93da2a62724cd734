#pragma once

#include <vector>

#include "regression/ridge.h"
#include "regression/ridge_source.h"

namespace likewise {

// Of a target, folds x cols: means, squares about them, and the range of values. Without an
// intercept means count as zero.
struct TargetSums {
  std::vector<double> mean, squares, low, high;
};

TargetSums target_sums(const Item<double>& target, const Folds& folds);

// Some columns of a target, with the cross moments of the source about the means of a fold: one
// matrix per fold.
struct TargetBlock {
  int64_t first = 0, cols = 0;
  std::vector<std::vector<double>> cross;
};

// Both for the columns [first, first + kTargetColumns) of a target, or as many as there are.
constexpr int64_t kTargetColumns = 512;

void fill_block(const Item<double>& source, const std::vector<FoldMoments>& moments,
                const Item<double>& target, const TargetSums& sums, const Folds& folds,
                int64_t first, ProductWorkspace<double>& workspace, TargetBlock& block);

// One fold of one source and a block of targets: errors as functions of the coefficients.
class FoldErrors {
 public:
  void prepare(const RidgeModel& model, const std::vector<FoldMoments>& moments, const Folds& folds,
               int64_t fold, const TargetBlock& block, const TargetSums& sums, int64_t target_cols);

  // The index of the penalty of the smallest generalised cross-validation, per column:
  // |y - X(c_a)|^2 / (n - 1 - sum_k w_k / (w_k + a))^2 on the training set.
  void choose(const std::vector<double>& penalties, int32_t* choice);

  // Coefficients of the penalties that `choice` names, or of penalty `only` for all.
  void solve(const std::vector<double>& penalties, const int32_t* choice);
  void solve(double penalty);

  // out[a * columns + t]: what squared_error(t) is after solve(penalties[a]).
  void squared_errors(const std::vector<double>& penalties, double* out);

  // Column t's squared error on the fold, and its Pearson correlation with the prediction.
  double squared_error(int64_t t) const;
  double correlation(int64_t t) const;

  bool constant(int64_t t) const { return constant_[t]; }
  double squares(int64_t t) const { return squares_[t]; }  // about the fold's mean

 private:
  void evaluate();
  double total_error(int64_t t, double fitted, double shifted) const;
  double* against_train(int64_t k) { return &rotated_[k * 2 * cols_]; }
  double* against_fold(int64_t k) { return &rotated_[k * 2 * cols_] + cols_; }

  const RidgeModel* model_ = nullptr;
  int64_t cols_ = 0;
  double freedom_ = 0, left_out_ = 0;
  std::vector<double> cross_;    // source columns x 2 cols_: training and left-out cross moments
  std::vector<double> rotated_;  // rank x 2 cols_: the same in the model's basis
  std::vector<double> coefficients_, product_, energy_, filter_, residual_;
  std::vector<double> train_squares_, unexplained_, squares_, mean_difference_;
  std::vector<double> inner_, quadratic_, terms_, shifted_;
  // Of all penalties: penalties x rank, rank x cols_ and penalties x cols_.
  std::vector<double> shrinkage_, weights_, along_, linear_, square_, shifts_;
  std::vector<char> constant_;
};

}  // namespace likewise

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/view.h"
#include "transport/cpu/flow.h"

namespace likewise {

// Whole numbers of units that rows send and columns take, and what one unit is worth.
struct Marginals {
  std::vector<int64_t> supply, demand;  // at least 0, equal sums
  double unit = 0;                      // as a part of `whole`, beside which it may be too small
  double whole = 1;
};

// Every row sends, and every column takes, the same part of a mass of 1.
Marginals uniform_marginals(int64_t rows, int64_t cols);

// Given marginals as multiples of 2^-52 of the sum of the larger side, so that flows are exact.
// `mass` of them is sent, all if the sums and the mass agree. Otherwise one more row and column
// take up what stays (the costs of these: 0, and infinite where they meet).
Marginals marginals_of(const double* supply, int64_t rows, const double* demand, int64_t cols,
                       double mass);

// Solves one transport problem at a time and keeps its workspace for the next one.
class TransportSolver {
 public:
  TransportSolver() = default;
  TransportSolver(const TransportSolver&) = delete;

  // Least sum of units * sign * cost; sign is 1 or -1. The view and the marginals must stay alive
  // until the last question about this problem. If the marginals have one more row and column than
  // the cost, these take up what the others leave.
  template <class T>
  FlowStatus solve(const MatrixRef<const T>& cost, double sign, const Marginals& marginals);

  // After an optimal solution: body(row, column, mass) for all pairs that something is sent
  // between.
  template <class Body>
  void for_each_arc(const Body& body) const {
    for (int32_t j = 0; j < state_.cols; ++j) {
      for (int32_t k = first_arc_[j]; k >= 0; k = arcs_[k].next) {
        const int64_t row = transposed_ ? j : arcs_[k].row, col = transposed_ ? arcs_[k].row : j;
        if (row < rows_ && col < cols_) body(row, col, double(arcs_[k].units) * unit_ * whole_);
      }
    }
  }

  // Dual variables with sign * (cost(i, j) - row[i] - column[j]) >= 0 (up to one rounding) for all
  // pairs. Returns the gap: how far, at most, the solution's cost is from the optimum.
  double certify(double* row_dual, double* column_dual);

 private:
  template <class T>
  const T* oriented(const MatrixRef<const T>& cost, bool padded, int64_t& row_stride);
  void reserve();
  void add_arcs();

  FlowState state_{};
  int64_t rows_ = 0, cols_ = 0;  // of the cost
  double unit_ = 0, whole_ = 1;
  bool transposed_ = false, is_float_ = false;
  std::vector<std::byte> copy_;
  std::vector<Arc> arcs_;
  std::vector<Candidates> candidates_;
  std::vector<TreeRow> tree_;
  std::vector<double> column_dual_, distance_, key_, key_min_, block_min_;
  std::vector<int64_t> left_, room_;
  std::vector<int32_t> first_arc_, entry_, free_rows_, next_free_, predecessor_, touched_, closed_;
};

// What `optimal_transport` gives beside the plans; C-contiguous, one problem after the other.
struct TransportCertificates {
  double* row_dual;     // (count, rows)
  double* column_dual;  // (count, cols)
  double* gap;          // (count)
};

// All problems (rows x cols) of a batch; supply (count, rows) and demand (count, cols) or both null
// for uniform marginals, with equal sums. `plan` has the shape and dtype of `cost`. Throws
// InputError for an infeasible problem and for costs that are NaN or -infinity.
void solve_transports(const ArrayRef& cost, const double* supply, const double* demand,
                      const ArrayRef& plan, const TransportCertificates& certificates, int threads);

}  // namespace likewise

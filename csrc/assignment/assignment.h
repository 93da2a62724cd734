#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "assignment/cpu/lap.h"
#include "core/view.h"

namespace likewise {

// Solves one linear assignment problem at a time and keeps its workspace for the next one. Problems
// of up to about 64 rows use no heap.
class AssignmentSolver {
 public:
  AssignmentSolver() {}  // leaves the small workspace as it is
  AssignmentSolver(const AssignmentSolver&) = delete;

  // Pairs min(rows, cols) rows and columns one to one, at the least sum of sign * cost; sign is 1
  // or -1. The view must stay alive until the last question about this problem. Layouts with
  // neither rows nor columns contiguous, or only the longer side, are copied.
  // row_start and column_start (both or none) are dual variables to start from, of any finite
  // values: the closer to optimal, the faster.
  template <class T>
  LapStatus solve(const MatrixRef<const T>& cost, double sign, const double* row_start = nullptr,
                  const double* column_start = nullptr);

  // After an optimal solution: the column of every row, -1 for rows left over.
  void columns_of_rows(int64_t* column_of_row) const;
  // The same as min(rows, cols) pairs, rows ascending.
  void pairs(int64_t* row_ind, int64_t* col_ind) const;
  double cost() const;

  // Dual variables with sign * (cost(i, j) - row[i] - column[j]) >= 0 (up to one rounding) for all
  // pairs, sign * dual <= 0 on the longer side and 0 where it is left over. Returns the gap: how
  // far, at most, the solution's cost is from the optimum.
  double certify(double* row_dual, double* column_dual);

 private:
  void reserve(int64_t rows, int64_t cols);
  template <class T>
  void orient(const MatrixRef<const T>& cost);
  template <class T>
  double sampled_range() const;
  double set_start(const double* start, double range);

  LapState state_{};
  static constexpr size_t kSmall = size_t{40} << 10;
  alignas(64) std::byte small_[kSmall];
  std::unique_ptr<std::byte[]> large_;
  size_t large_size_ = 0;
  std::vector<std::byte> copy_;
  bool transposed_ = false;
  bool is_float_ = false;
};

// What `assignment` gives beside the pairs; C-contiguous, one problem after the other.
struct AssignmentCertificates {
  double* cost;         // (count)
  double* row_dual;     // (count, rows)
  double* column_dual;  // (count, cols)
  double* gap;          // (count)
};

// All problems (rows x cols) of a batch. row_ind (ascending) and col_ind get min(rows, cols)
// entries per problem. The start duals are (count, rows) and (count, cols), or null; so may be the
// certificates. Throws InputError with SciPy's words for an infeasible problem and for costs that
// are NaN or (after the sign) -infinity.
void solve_assignments(const ArrayRef& cost, bool maximize, const double* row_start,
                       const double* column_start, int64_t* row_ind, int64_t* col_ind,
                       const AssignmentCertificates* certificates, int threads);

}  // namespace likewise

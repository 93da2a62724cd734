#include "assignment/assignment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"

namespace likewise {
namespace {

std::string describe(LapStatus status) {
  return status == LapStatus::infeasible ? "cost matrix is infeasible"
                                         : "matrix contains invalid numeric entries";
}

}  // namespace

// Carves all arrays of the state out of one block.
void AssignmentSolver::reserve(int64_t rows, int64_t cols) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() - 1024;
  if (cols > kMost) {
    throw InputError("an assignment problem may have at most " + std::to_string(kMost) +
                     " rows and columns, got " + std::to_string(cols));
  }
  state_.rows = int32_t(rows);
  state_.cols = int32_t(cols);
  constexpr size_t kLine = 64;  // bytes of a cache line
  const int64_t padded = cols + LapState::kPadding;
  size_t used = 0;
  std::byte* base = nullptr;
  const auto take = [&](auto*& pointer, int64_t count) {
    using Pointer = std::remove_reference_t<decltype(pointer)>;
    pointer = base ? reinterpret_cast<Pointer>(base + used) : nullptr;
    used += (size_t(count) * sizeof(*pointer) + kLine - 1) / kLine * kLine;
  };
  const auto carve = [&] {
    used = 0;
    take(state_.column_dual, cols);
    take(state_.col_of_row, rows);
    take(state_.row_of_col, cols);
    take(state_.candidates, rows);
    take(state_.tree, rows + 1);
    take(state_.matched_cost, rows);
    take(state_.distance, cols);
    take(state_.key, padded);
    take(state_.key_min, cols / 16 + 1 + LapState::kPadding);
    take(state_.block_min, padded);
    take(state_.predecessor, cols);
    take(state_.touched, cols + 1);
    take(state_.closed, cols);
    take(state_.free_rows, rows);
    take(state_.next_free, rows);
  };
  carve();
  if (used <= kSmall) {
    base = small_;
  } else {
    if (used > large_size_) {
      large_.reset(new std::byte[used + kLine]);
      large_size_ = used;
    }
    const auto address = reinterpret_cast<uintptr_t>(large_.get());
    base = large_.get() + (kLine - address % kLine) % kLine;
  }
  carve();
}

// Rows become the shorter side, contiguous; without a copy where the layout allows it.
template <class T>
void AssignmentSolver::orient(const MatrixRef<const T>& cost) {
  const MatrixRef<const T> other = cost.transposed();
  const bool square = cost.rows == cost.cols;
  transposed_ =
      cost.rows > cost.cols || (square && !cost.rows_contiguous() && other.rows_contiguous());
  MatrixRef<const T> view = transposed_ ? other : cost;
  if (!view.rows_contiguous()) {
    copy_.resize(size_t(view.rows * view.cols) * sizeof(T));
    T* copy = reinterpret_cast<T*>(copy_.data());
    copy_matrix(view, copy);
    view = {copy, view.rows, view.cols, view.cols, 1};
  }
  reserve(view.rows, view.cols);
  state_.cost = view.data;
  state_.row_stride = view.row_stride;
  is_float_ = sizeof(T) == sizeof(float);
}

// Largest minus smallest finite cost of a few rows.
template <class T>
double AssignmentSolver::sampled_range() const {
  constexpr int32_t kRows = 8;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (int32_t i = 0; i < state_.rows; i += std::max(1, state_.rows / kRows)) {
    const T* row = static_cast<const T*>(state_.cost) + i * state_.row_stride;
    for (int32_t j = 0; j < state_.cols; ++j) {
      if (!std::isfinite(row[j])) continue;
      low = std::min(low, double(row[j]));
      high = std::max(high, double(row[j]));
    }
  }
  return high > low ? high - low : 0;
}

// Any column duals are a valid start of a square problem. Columns that stay free must share the
// largest one, which becomes zero; and duals far outside the range of the costs could only cost
// digits. Returns how far below zero the least one is.
double AssignmentSolver::set_start(const double* start, double range) {
  constexpr double kSpread = 16;
  const int32_t n = state_.cols;
  double* v = state_.column_dual;
  for (int32_t j = 0; j < n; ++j) v[j] = state_.sign * start[j];
  double* sorted = state_.distance;
  std::copy_n(v, n, sorted);
  const int32_t surplus = std::max(1, n - state_.rows);
  std::nth_element(sorted, sorted + (surplus - 1), sorted + n, std::greater<>());
  const double level = sorted[surplus - 1];
  for (int32_t j = 0; j < n; ++j) {
    v[j] = std::max(std::min(v[j] - level, 0.0), -kSpread * range);
  }
  return -*std::min_element(v, v + n);
}

template <class T>
LapStatus AssignmentSolver::solve(const MatrixRef<const T>& cost, double sign,
                                  const double* row_start, const double* column_start) {
  orient(cost);
  state_.sign = sign;
  state_.poll = &poll_interrupt;
  state_.work = 0;
  const LapKernels& kernels = lap_kernels_for_this_cpu();
  const auto run = is_float_ ? kernels.solve_float : kernels.solve_double;
  if (!row_start || state_.cols == 0) return run(state_, false);
  const double spread = set_start(transposed_ ? row_start : column_start, sampled_range<T>());
  const LapStatus status = run(state_, true);
  if (status != LapStatus::optimal) return status;
  // Rounding at the size of far-off duals may show in a cost that is much smaller.
  constexpr double kTolerableSpread = 1e3;
  double size = 0;
  for (int32_t i = 0; i < state_.rows; ++i) size += std::abs(state_.matched_cost[i]);
  return spread * state_.rows > kTolerableSpread * size ? run(state_, false) : status;
}

void AssignmentSolver::columns_of_rows(int64_t* column_of_row) const {
  const int32_t* columns = transposed_ ? state_.row_of_col : state_.col_of_row;
  const int64_t rows = transposed_ ? state_.cols : state_.rows;
  for (int64_t i = 0; i < rows; ++i) column_of_row[i] = std::max(columns[i], -1);
}

void AssignmentSolver::pairs(int64_t* row_ind, int64_t* col_ind) const {
  const int32_t* columns = transposed_ ? state_.row_of_col : state_.col_of_row;
  const int64_t rows = transposed_ ? state_.cols : state_.rows;
  for (int64_t i = 0; i < rows; ++i) {
    if (columns[i] < 0) continue;
    *row_ind++ = i;
    *col_ind++ = columns[i];
  }
}

double AssignmentSolver::cost() const {
  double sum = 0;
  for (int32_t i = 0; i < state_.rows; ++i) sum += state_.matched_cost[i];
  return state_.sign * sum;
}

double AssignmentSolver::certify(double* row_dual, double* column_dual) {
  double* u = transposed_ ? column_dual : row_dual;  // of the shorter side
  double* v = transposed_ ? row_dual : column_dual;
  const LapKernels& kernels = lap_kernels_for_this_cpu();
  (is_float_ ? kernels.row_duals_float : kernels.row_duals_double)(state_, u);
  double gap = 0;  // a sum of slacks, none negative: nothing cancels
  for (int32_t i = 0; i < state_.rows; ++i) {
    gap += state_.matched_cost[i] - state_.column_dual[state_.col_of_row[i]] - u[i];
    u[i] = state_.sign * u[i] + 0.0;
  }
  for (int32_t j = 0; j < state_.cols; ++j) {
    v[j] = state_.sign * state_.column_dual[j] + 0.0;
    if (state_.rows < state_.cols && state_.row_of_col[j] < 0) gap -= state_.column_dual[j];
  }
  return gap;
}

template LapStatus AssignmentSolver::solve<float>(const MatrixRef<const float>&, double,
                                                  const double*, const double*);
template LapStatus AssignmentSolver::solve<double>(const MatrixRef<const double>&, double,
                                                   const double*, const double*);

namespace {

template <class T>
void solve_batch(const ArrayRef& array, bool maximize, const double* row_start,
                 const double* column_start, int64_t* row_ind, int64_t* col_ind,
                 const AssignmentCertificates* out, int threads) {
  const MatrixBatch<const T> batch(array);
  const int64_t count = batch.count();
  const int64_t rows = array.shape[array.ndim - 2], cols = array.shape[array.ndim - 1];
  const int64_t pairs = std::min(rows, cols);
  const auto solve = [&](AssignmentSolver& solver, int64_t item) {
    const LapStatus status =
        solver.solve(batch[item], maximize ? -1 : 1, row_start ? row_start + item * rows : nullptr,
                     column_start ? column_start + item * cols : nullptr);
    if (status != LapStatus::optimal) return status;
    solver.pairs(row_ind + item * pairs, col_ind + item * pairs);
    if (out) {
      out->cost[item] = solver.cost();
      out->gap[item] = solver.certify(out->row_dual + item * rows, out->column_dual + item * cols);
    }
    return status;
  };
  if (count == 1) {  // small problems feel every allocation
    AssignmentSolver solver;
    const LapStatus status = solve(solver, 0);
    if (status != LapStatus::optimal) throw InputError(describe(status));
    return;
  }
  std::vector<AssignmentSolver> solvers(std::max(threads, 1));
  std::vector<LapStatus> statuses(count);
  parallel_for(count, threads,
               [&](int64_t item, int worker) { statuses[item] = solve(solvers[worker], item); });
  for (int64_t item = 0; item < count; ++item) {
    if (statuses[item] == LapStatus::optimal) continue;
    throw InputError(describe(statuses[item]) + " (item " + std::to_string(item) +
                     " of the batch)");
  }
}

}  // namespace

void solve_assignments(const ArrayRef& cost, bool maximize, const double* row_start,
                       const double* column_start, int64_t* row_ind, int64_t* col_ind,
                       const AssignmentCertificates* certificates, int threads) {
  dispatch_float(cost.dtype, [&](auto zero) {
    solve_batch<decltype(zero)>(cost, maximize, row_start, column_start, row_ind, col_ind,
                                certificates, threads);
  });
}

}  // namespace likewise

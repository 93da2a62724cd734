#include "transport/transport.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"

namespace likewise {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnits = 0x1p53;

template <class V>
auto* sized(V& vector, int64_t count) {
  if (int64_t(vector.size()) < count) vector.resize(size_t(count));
  return vector.data();
}

// Shares of `total` units; what rounding leaves goes to the largest.
std::vector<int64_t> units_of(const double* share, int64_t count, int64_t total) {
  const double sum = std::accumulate(share, share + count, 0.0);
  std::vector<int64_t> units(static_cast<size_t>(count));
  int64_t left = total;
  const int exponent = std::ilogb(sum);
  const double scale = double(total) / std::ldexp(sum, -exponent);
  for (int64_t k = 0; k < count; ++k) {
    units[k] = std::llround(std::ldexp(share[k], -exponent) * scale);
    left -= units[k];
  }
  *std::max_element(units.begin(), units.end()) += left;
  return units;
}

}  // namespace

Marginals uniform_marginals(int64_t rows, int64_t cols) {
  const int64_t common = std::gcd(rows, cols);
  return {std::vector<int64_t>(size_t(rows), cols / common),
          std::vector<int64_t>(size_t(cols), rows / common),
          1 / (double(rows / common) * double(cols)), 1};
}

Marginals marginals_of(const double* supply, int64_t rows, const double* demand, int64_t cols,
                       double mass) {
  const double sent = std::accumulate(supply, supply + rows, 0.0);
  const double taken = std::accumulate(demand, demand + cols, 0.0);
  const double largest = std::max(sent, taken);
  // A power of two: masses of few digits, such as whole numbers, are then not rounded.
  const double whole = std::ldexp(1.0, std::ilogb(largest) + 1);
  const auto units = [&](double x) {
    return int64_t(std::llround(std::min(1.0, x / whole) * kUnits));
  };
  // Sums that differ by rounding alone are equal.
  const bool equal = std::abs(sent - taken) <= 1e-12 * largest;
  const int64_t total_sent = equal ? units(largest) : units(sent);
  const int64_t total_taken = equal ? units(largest) : units(taken);
  const int64_t wanted = std::min({units(mass), total_sent, total_taken});
  Marginals m{units_of(supply, rows, total_sent), units_of(demand, cols, total_taken), 1 / kUnits,
              whole};
  if (wanted < total_sent || wanted < total_taken) {
    m.supply.push_back(total_taken - wanted);
    m.demand.push_back(total_sent - wanted);
  }
  return m;
}

// The costs as rows of the shorter side, contiguous; without a copy where the layout allows it.
template <class T>
const T* TransportSolver::oriented(const MatrixRef<const T>& cost, bool padded,
                                   int64_t& row_stride) {
  const bool square = cost.rows == cost.cols;
  transposed_ = cost.rows > cost.cols ||
                (square && !cost.rows_contiguous() && cost.transposed().rows_contiguous());
  const MatrixRef<const T> view = transposed_ ? cost.transposed() : cost;
  row_stride = view.row_stride;
  if (view.rows_contiguous() && !padded) return view.data;
  row_stride = view.cols + padded;
  copy_.resize(size_t((view.rows + padded) * row_stride) * sizeof(T));
  T* copy = reinterpret_cast<T*>(copy_.data());
  if (!padded) {
    copy_matrix(view, copy);
    return copy;
  }
  for (int64_t i = 0; i < view.rows; ++i) {
    for (int64_t j = 0; j < view.cols; ++j) copy[i * row_stride + j] = view(i, j);
    copy[i * row_stride + view.cols] = 0;
  }
  std::fill_n(copy + view.rows * row_stride, view.cols, T(0));
  copy[view.rows * row_stride + view.cols] = T(state_.sign * kInfinity);
  return copy;
}

void TransportSolver::reserve() {
  const int64_t rows = state_.rows, cols = state_.cols, padded = cols + FlowState::kPadding;
  state_.column_dual = sized(column_dual_, cols);
  state_.candidates = sized(candidates_, rows);
  state_.tree = sized(tree_, rows + 1);
  state_.distance = sized(distance_, cols);
  state_.key = sized(key_, padded);
  state_.key_min = sized(key_min_, cols / 16 + 1 + FlowState::kPadding);
  state_.block_min = sized(block_min_, padded);
  state_.predecessor = sized(predecessor_, cols);
  state_.touched = sized(touched_, cols + 1);
  state_.closed = sized(closed_, cols);
  state_.first_arc = sized(first_arc_, cols);
  state_.left = sized(left_, rows);
  state_.room = sized(room_, cols);
  state_.entry = sized(entry_, rows);
  state_.free_rows = sized(free_rows_, rows);
  state_.next_free = sized(next_free_, rows);
  arcs_.clear();
  state_.arcs = nullptr;
  state_.unused_arc = -1;
  state_.solver = this;
  state_.grow = [](FlowState& s) { static_cast<TransportSolver*>(s.solver)->add_arcs(); };
  arcs_.reserve(size_t(rows + cols));
  add_arcs();
}

void TransportSolver::add_arcs() {
  const size_t old = arcs_.size(), size = std::max(2 * old, arcs_.capacity());
  arcs_.resize(size);
  for (size_t k = old; k < size; ++k) arcs_[k].next = k + 1 < size ? int32_t(k + 1) : -1;
  state_.arcs = arcs_.data();
  state_.unused_arc = int32_t(old);
}

template <class T>
FlowStatus TransportSolver::solve(const MatrixRef<const T>& cost, double sign,
                                  const Marginals& marginals) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() / 4;
  if (std::max(cost.rows, cost.cols) > kMost) {
    throw InputError("a transport problem may have at most " + std::to_string(kMost) +
                     " rows and columns, got " + std::to_string(std::max(cost.rows, cost.cols)));
  }
  rows_ = cost.rows;
  cols_ = cost.cols;
  unit_ = marginals.unit;
  whole_ = marginals.whole;
  is_float_ = sizeof(T) == sizeof(float);
  state_.sign = sign;
  const bool padded = int64_t(marginals.supply.size()) > cost.rows;
  state_.cost = oriented(cost, padded, state_.row_stride);
  const auto& rows = transposed_ ? marginals.demand : marginals.supply;
  const auto& cols = transposed_ ? marginals.supply : marginals.demand;
  state_.rows = int32_t(rows.size());
  state_.cols = int32_t(cols.size());
  state_.supply = rows.data();
  state_.demand = cols.data();
  state_.poll = &poll_interrupt;
  state_.work = 0;
  reserve();
  const FlowKernels& kernels = flow_kernels_for_this_cpu();
  return is_float_ ? kernels.solve_float(state_) : kernels.solve_double(state_);
}

double TransportSolver::certify(double* row_dual, double* column_dual) {
  std::vector<double> u(size_t(state_.rows));
  const LapKernels& kernels = lap_kernels_for_this_cpu();
  (is_float_ ? kernels.row_duals_float : kernels.row_duals_double)(state_, u.data());
  double gap = 0;  // a sum of slacks, none negative: nothing cancels
  for (int32_t j = 0; j < state_.cols; ++j) {
    for (int32_t k = first_arc_[j]; k >= 0; k = arcs_[k].next) {
      const double slack = arcs_[k].cost - column_dual_[j] - u[arcs_[k].row];
      gap += slack * double(arcs_[k].units) * unit_ * whole_;
    }
  }
  double* of_rows = transposed_ ? column_dual : row_dual;
  double* of_cols = transposed_ ? row_dual : column_dual;
  const int64_t rows = transposed_ ? cols_ : rows_, cols = transposed_ ? rows_ : cols_;
  for (int64_t i = 0; i < rows; ++i) of_rows[i] = state_.sign * u[i] + 0.0;
  for (int64_t j = 0; j < cols; ++j) of_cols[j] = state_.sign * column_dual_[j] + 0.0;
  return gap;
}

template FlowStatus TransportSolver::solve<float>(const MatrixRef<const float>&, double,
                                                  const Marginals&);
template FlowStatus TransportSolver::solve<double>(const MatrixRef<const double>&, double,
                                                   const Marginals&);

namespace {

// What is asked of one problem.
template <class T>
struct TransportItem {
  MatrixRef<const T> cost;
  const Marginals& marginals;
  T* plan;
  double *row_dual, *column_dual, *gap;
};

template <class T>
FlowStatus solve_whole(TransportSolver& solver, const TransportItem<T>& item) {
  const FlowStatus status = solver.solve(item.cost, 1, item.marginals);
  if (status != FlowStatus::optimal) return status;
  std::fill_n(item.plan, item.cost.rows * item.cost.cols, T(0));
  solver.for_each_arc(
      [&](int64_t i, int64_t j, double mass) { item.plan[i * item.cost.cols + j] = T(mass); });
  *item.gap = solver.certify(item.row_dual, item.column_dual);
  return status;
}

std::vector<int64_t> busy(const std::vector<int64_t>& units) {
  std::vector<int64_t> out;
  for (size_t k = 0; k < units.size(); ++k) {
    if (units[k] > 0) out.push_back(int64_t(k));
  }
  return out;
}

// Without the rows and columns of no mass: their duals, as large as the others allow, come after.
template <class T>
FlowStatus solve_busy(TransportSolver& solver, const TransportItem<T>& item,
                      const std::vector<int64_t>& rows, const std::vector<int64_t>& cols) {
  const MatrixRef<const T>& cost = item.cost;
  for (int64_t i = 0; i < cost.rows; ++i) {
    for (int64_t j = 0; j < cost.cols; ++j) {
      if (!(double(cost(i, j)) > -kInfinity)) return FlowStatus::invalid;
    }
  }
  const int64_t m = int64_t(rows.size()), n = int64_t(cols.size());
  Marginals marginals{{}, {}, item.marginals.unit, item.marginals.whole};
  std::vector<T> costs;
  for (const int64_t j : cols) marginals.demand.push_back(item.marginals.demand[j]);
  for (const int64_t i : rows) {
    marginals.supply.push_back(item.marginals.supply[i]);
    for (const int64_t j : cols) costs.push_back(cost(i, j));
  }
  std::vector<T> plan(costs.size());
  std::vector<double> u(rows.size()), v(cols.size());
  const TransportItem<T> part{
      {costs.data(), m, n, n, 1}, marginals, plan.data(), u.data(), v.data(), item.gap};
  const FlowStatus status = solve_whole(solver, part);
  if (status != FlowStatus::optimal) return status;
  std::fill_n(item.plan, cost.rows * cost.cols, T(0));
  std::fill_n(item.row_dual, cost.rows, kInfinity);
  std::fill_n(item.column_dual, cost.cols, kInfinity);
  for (int64_t i = 0; i < m; ++i) {
    item.row_dual[rows[i]] = u[i];
    for (int64_t j = 0; j < n; ++j) item.plan[rows[i] * cost.cols + cols[j]] = plan[i * n + j];
    for (int64_t j = 0; j < cost.cols; ++j) {
      item.column_dual[j] = std::min(item.column_dual[j], double(cost(rows[i], j)) - u[i]);
    }
  }
  for (double* dual = item.column_dual; dual < item.column_dual + cost.cols; ++dual) {
    if (*dual == kInfinity) *dual = 0;  // all pairs with it are forbidden
  }
  for (int64_t j = 0; j < n; ++j) item.column_dual[cols[j]] = v[j];
  for (int64_t i = 0; i < cost.rows; ++i) {
    double& dual = item.row_dual[i];
    if (dual < kInfinity) continue;
    for (int64_t j = 0; j < cost.cols; ++j) {
      dual = std::min(dual, double(cost(i, j)) - item.column_dual[j]);
    }
    if (dual == kInfinity) dual = 0;
  }
  return status;
}

template <class T>
FlowStatus solve_item(TransportSolver& solver, const TransportItem<T>& item) {
  const std::vector<int64_t> rows = busy(item.marginals.supply), cols = busy(item.marginals.demand);
  const bool all = int64_t(rows.size()) == item.cost.rows && int64_t(cols.size()) == item.cost.cols;
  return all ? solve_whole(solver, item) : solve_busy(solver, item, rows, cols);
}

template <class T>
void solve_batch(const ArrayRef& costs, const double* supply, const double* demand,
                 const ArrayRef& plans, const TransportCertificates& out, int threads) {
  const MatrixBatch<const T> cost(costs);
  const int64_t count = cost.count();
  const int64_t rows = costs.shape[costs.ndim - 2], cols = costs.shape[costs.ndim - 1];
  std::vector<TransportSolver> solvers(size_t(std::max(threads, 1)));
  std::vector<FlowStatus> statuses(static_cast<size_t>(count));
  const Marginals uniform = supply ? Marginals{} : uniform_marginals(rows, cols);
  parallel_for(count, threads, [&](int64_t item, int worker) {
    const Marginals own =
        supply ? marginals_of(supply + item * rows, rows, demand + item * cols, cols, kInfinity)
               : Marginals{};
    T* plan = static_cast<T*>(plans.data) + item * rows * cols;
    statuses[item] = solve_item<T>(
        solvers[worker], {cost[item], supply ? own : uniform, plan, out.row_dual + item * rows,
                          out.column_dual + item * cols, out.gap + item});
  });
  for (int64_t item = 0; item < count; ++item) {
    if (statuses[item] == FlowStatus::optimal) continue;
    const std::string where =
        count > 1 ? " (item " + std::to_string(item) + " of the batch)" : std::string();
    throw InputError((statuses[item] == FlowStatus::infeasible
                          ? "cost matrix is infeasible"
                          : "matrix contains invalid numeric entries") +
                     where);
  }
}

}  // namespace

void solve_transports(const ArrayRef& cost, const double* supply, const double* demand,
                      const ArrayRef& plan, const TransportCertificates& certificates,
                      int threads) {
  require_same_dtype(cost, plan, "solve_transports");
  dispatch_float(cost.dtype, [&](auto zero) {
    solve_batch<decltype(zero)>(cost, supply, demand, plan, certificates, threads);
  });
}

}  // namespace likewise

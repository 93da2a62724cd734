#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/match.h"
#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

void solve(const DeviceArray& cost, bool maximize, cuda::AssignmentOutputs out, Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = cost.sizes();
  const int64_t m = shape[shape.size() - 2], n = shape[shape.size() - 1];
  const bool transposed = m > n;
  int64_t count = 1;
  for (size_t axis = 0; axis + 2 < shape.size(); ++axis) count *= shape[axis];
  out.failure = context.status ? &context.status->assignment : nullptr;
  dispatch_float(cost, [&](auto zero) {
    using T = decltype(zero);
    const T* const costs = shorter_side_first<T>(cost, transposed, context);
    cuda::solve_assignments<T>(costs, count, int(std::min(m, n)), int(std::max(m, n)), maximize,
                               transposed, out, context.stream);
  });
}

void linear_sum_assignment(const DeviceArray& cost, bool maximize, const DeviceArray& row_ind,
                           const DeviceArray& col_ind, Run& run) {
  cuda::AssignmentOutputs out{};
  out.row_ind = row_ind.filled<int64_t>();
  out.col_ind = col_ind.filled<int64_t>();
  solve(cost, maximize, out, run);
}

// The duals to start from are not used: any search leads to an optimum.
void assignment(const DeviceArray& cost, bool maximize, const py::object&, const py::object&,
                const DeviceArray& row_ind, const DeviceArray& col_ind, const DeviceArray& total,
                const DeviceArray& row_dual, const DeviceArray& column_dual, const DeviceArray& gap,
                Run& run) {
  cuda::AssignmentOutputs out{};
  out.row_ind = row_ind.filled<int64_t>();
  out.col_ind = col_ind.filled<int64_t>();
  out.cost = total.filled<double>();
  out.row_dual = row_dual.filled<double>();
  out.column_dual = column_dual.filled<double>();
  out.gap = gap.filled<double>();
  solve(cost, maximize, out, run);
}

void match_scores(const Items& a, const Items& b, const DeviceArray& scores,
                  const DeviceArray& counts, Matching matching, Run& run) {
  with_lists(
      a, b, run,
      [&](const auto& context, const auto& left, const auto& right, int64_t rows, bool symmetric) {
        cuda::match_scores(context, matching, left, right, rows, symmetric, scores.filled<double>(),
                           counts.filled<int64_t>());
      });
}

void match_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                 const DeviceArray& counts, const MaybeArray& assignment, Matching matching,
                 Run& run) {
  with_pairs(x, y, run,
             [&](const auto& context, const auto& a, const auto& b, int64_t count, int64_t rows) {
               cuda::match_pairs(context, matching, {count, rows, a.cols, b.cols}, a.data, b.data,
                                 scores.filled<double>(), filled<int64_t>(assignment),
                                 counts.filled<int64_t>());
             });
}

}  // namespace

void register_assignment(py::module_& m) {
  m.attr("most_assigned") = cuda::kMostAssigned;
  m.def("linear_sum_assignment", &linear_sum_assignment);
  m.def("assignment", &assignment);
  m.def("match_scores", &match_scores);
  m.def("match_pairs", &match_pairs);
}

}  // namespace likewise::bindings

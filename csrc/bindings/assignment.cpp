#include "assignment/assignment.h"

#include <optional>
#include <string>

#include "assignment/match.h"
#include "bindings/matchings.h"
#include "core/dtype.h"

namespace likewise::bindings {
namespace {

void linear_sum_assignment(const py::array& cost, bool maximize, py::array row_ind,
                           py::array col_ind, int threads) {
  const ArrayRef view = input(cost);
  int64_t* rows = integer_output<int64_t>(row_ind);
  int64_t* cols = integer_output<int64_t>(col_ind);
  const py::gil_scoped_release release;
  solve_assignments(view, maximize, nullptr, nullptr, rows, cols, nullptr, threads);
}

void assignment(const py::array& cost, bool maximize, const std::optional<py::array>& row_start,
                const std::optional<py::array>& column_start, py::array row_ind, py::array col_ind,
                py::array total, py::array row_dual, py::array column_dual, py::array gap,
                int threads) {
  const ArrayRef view = input(cost);
  const double* u = double_input(row_start);
  const double* v = double_input(column_start);
  int64_t* rows = integer_output<int64_t>(row_ind);
  int64_t* cols = integer_output<int64_t>(col_ind);
  const AssignmentCertificates certificates{double_output(total), double_output(row_dual),
                                            double_output(column_dual), double_output(gap)};
  const py::gil_scoped_release release;
  solve_assignments(view, maximize, u, v, rows, cols, &certificates, threads);
}

void match_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                  py::array scores, py::array counts, Matching matching, int threads) {
  unit_scores(a, b, scores, counts, threads,
              [&](const auto&... given) { likewise::match_scores(matching, given...); });
}

bool match_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                 std::optional<py::array> assignment, Matching matching, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  double* const out = double_output(scores);
  const Counts found = counts_of(counts);
  int64_t* const partners = assignment ? integer_output<int64_t>(*assignment) : nullptr;
  const py::gil_scoped_release release;
  likewise::match_pairs(matching, view_x, view_y, out, partners, found.data, threads);
  return any(found);
}

void match_reordered(const py::array& x, const py::array& y, const Orders& orders, py::array scores,
                     Matching matching, int threads) {
  units_reordered(x, y, orders, scores, threads,
                  [&](const auto&... given) { likewise::match_scores(matching, given...); });
}

bool unit_correlations(const py::array& x, const py::array& y, py::array out, py::array counts,
                       int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  double* const correlations = double_output(out);
  const Counts found = counts_of(counts);
  const py::gil_scoped_release release;
  likewise::unit_correlations(view_x, view_y, correlations, found.data, threads);
  return any(found);
}

int64_t unit_columns_of(const py::array& x, py::array out) {
  const ArrayRef view = input(x), view_out = output(out);
  require_same_dtype(view, view_out, "unit_columns");
  const py::gil_scoped_release release;
  return dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    return unit_columns(MatrixBatch<const T>(view)[0], static_cast<T*>(view_out.data));
  });
}

}  // namespace

void register_assignment(py::module_& m) {
  m.def("linear_sum_assignment", &linear_sum_assignment);
  m.def("assignment", &assignment);
  m.def("match_scores", &match_scores);
  m.def("match_pairs", &match_pairs);
  m.def("match_reordered", &match_reordered);
  m.def("unit_correlations", &unit_correlations);
  m.def("unit_columns", &unit_columns_of);
}

}  // namespace likewise::bindings

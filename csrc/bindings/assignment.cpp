#include "assignment/assignment.h"

#include "assignment/match.h"
#include "bindings/measures.h"

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

bool match_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                 std::optional<py::array> assignment, Matching matching, int threads) {
  int64_t* const partners = assignment ? integer_output<int64_t>(*assignment) : nullptr;
  const auto match = [&](const auto&... given) { likewise::match_pairs(given..., partners); };
  return call_of_pairs(match, x, y, scores, counts, matching, threads);
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

bool correlations_of_units(const py::array& x, const py::array& y, py::array out, py::array counts,
                           int threads) {
  const auto correlate = [](const ArrayRef& of_x, const ArrayRef& of_y, bool, int used, double* to,
                            const Counts& found) {
    unit_correlations(of_x, of_y, used, to, found);
  };
  return call_of_pairs(correlate, x, y, out, counts, false, threads);
}

}  // namespace

void register_assignment(py::module_& m) {
  m.def("linear_sum_assignment", &linear_sum_assignment);
  m.def("assignment", &assignment);
  m.def("match_scores", of_lists(&match_scores));
  m.def("match_pairs", &match_pairs);
  m.def("match_reordered", of_orders(&match_reordered));
  m.def("unit_correlations", &correlations_of_units);
  m.def("unit_columns", &unit_columns_of);
}

}  // namespace likewise::bindings

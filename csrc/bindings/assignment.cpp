#include "assignment/assignment.h"

#include <optional>
#include <string>

#include "assignment/match.h"
#include "bindings/units.h"
#include "core/dtype.h"

namespace likewise::bindings {
namespace {

Matching matching_of(const std::string& name) {
  if (name == "permutation") return Matching::permutation;
  if (name == "semi") return Matching::semi;
  throw InternalError("unknown matching " + name);
}

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

void match(const std::string& matching, const py::array& x, const py::array& y, py::array score,
           py::array assignment, py::array constant_units, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  double* scores = double_output(score);
  int64_t* columns = integer_output<int64_t>(assignment);
  int64_t* constants = integer_output<int64_t>(constant_units);
  const Matching kind = matching_of(matching);
  const py::gil_scoped_release release;
  match_units(kind, view_x, view_y, scores, columns, constants, threads);
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

void match_cross(const std::string& matching, const std::vector<py::array>& a,
                 const std::vector<int64_t>& constant_a,
                 const std::optional<std::vector<py::array>>& b,
                 const std::vector<int64_t>& constant_b, py::array score, int threads) {
  double* scores = double_output(score);
  const Matching kind = matching_of(matching);
  with_unit_items(a, constant_a, b, constant_b,
                  [&](const auto& items_a, const auto* items_b, int64_t rows) {
                    match_units_cross(kind, items_a, items_b, rows, scores, threads);
                  });
}

}  // namespace

void register_assignment(py::module_& m) {
  m.def("linear_sum_assignment", &linear_sum_assignment);
  m.def("assignment", &assignment);
  m.def("match_units", &match);
  m.def("unit_columns", &unit_columns_of);
  m.def("match_units_cross", &match_cross);
}

}  // namespace likewise::bindings

#include "transport/transport.h"

#include <optional>
#include <vector>

#include "bindings/units.h"
#include "core/dtype.h"
#include "transport/soft_match.h"

namespace likewise::bindings {
namespace {

void transport(const py::array& cost, const std::optional<py::array>& supply,
               const std::optional<py::array>& demand, py::array plan, py::array row_dual,
               py::array column_dual, py::array gap, int threads) {
  const ArrayRef view = input(cost), view_plan = output(plan);
  const double* a = double_input(supply);
  const double* b = double_input(demand);
  const TransportCertificates certificates{double_output(row_dual), double_output(column_dual),
                                           double_output(gap)};
  const py::gil_scoped_release release;
  solve_transports(view, a, b, view_plan, certificates, threads);
}

void match(bool distance, double mass, const py::array& x, const py::array& y, py::array score,
           py::array plan, py::array constant_units, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y), view_plan = output(plan);
  double* scores = double_output(score);
  int64_t* constants = integer_output<int64_t>(constant_units);
  const py::gil_scoped_release release;
  soft_match({distance, mass}, view_x, view_y, scores, view_plan, constants, threads);
}

void match_cross(bool distance, double mass, const std::vector<py::array>& a,
                 const std::vector<int64_t>& constant_a,
                 const std::optional<std::vector<py::array>>& b,
                 const std::vector<int64_t>& constant_b, py::array score, int threads) {
  double* scores = double_output(score);
  with_unit_items(a, constant_a, b, constant_b,
                  [&](const auto& items_a, const auto* items_b, int64_t rows) {
                    soft_match_cross({distance, mass}, items_a, items_b, rows, scores, threads);
                  });
}

}  // namespace

void register_transport(py::module_& m) {
  m.def("transport", &transport);
  m.def("soft_match", &match);
  m.def("soft_match_cross", &match_cross);
}

}  // namespace likewise::bindings

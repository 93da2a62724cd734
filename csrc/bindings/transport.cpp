#include "transport/transport.h"

#include "bindings/measures.h"
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

bool soft_match_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                      std::optional<py::array> plan, const SoftMatchOptions& options, int threads) {
  void* const plans = plan ? output(*plan).data : nullptr;
  const auto match = [&](const auto&... given) { likewise::soft_match_pairs(given..., plans); };
  return call_of_pairs(match, x, y, scores, counts, options, threads);
}

}  // namespace

void register_transport(py::module_& m) {
  m.def("transport", &transport);
  m.def("soft_match_scores", of_lists(&soft_match_scores));
  m.def("soft_match_pairs", &soft_match_pairs);
  m.def("soft_match_reordered", of_orders(&soft_match_reordered));
}

}  // namespace likewise::bindings

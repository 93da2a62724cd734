#include "transport/transport.h"

#include <optional>
#include <vector>

#include "bindings/matchings.h"
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

void soft_match_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                       py::array scores, py::array counts, const SoftMatchOptions& options,
                       int threads) {
  unit_scores(a, b, scores, counts, threads,
              [&](const auto&... given) { likewise::soft_match_scores(options, given...); });
}

bool soft_match_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                      std::optional<py::array> plan, const SoftMatchOptions& options, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  double* const out = double_output(scores);
  const Counts found = counts_of(counts);
  void* const plans = plan ? output(*plan).data : nullptr;
  const py::gil_scoped_release release;
  likewise::soft_match_pairs(options, view_x, view_y, out, plans, found.data, threads);
  return any(found);
}

void soft_match_reordered(const py::array& x, const py::array& y, const Orders& orders,
                          py::array scores, const SoftMatchOptions& options, int threads) {
  units_reordered(x, y, orders, scores, threads,
                  [&](const auto&... given) { likewise::soft_match_scores(options, given...); });
}

}  // namespace

void register_transport(py::module_& m) {
  m.def("transport", &transport);
  m.def("soft_match_scores", &soft_match_scores);
  m.def("soft_match_pairs", &soft_match_pairs);
  m.def("soft_match_reordered", &soft_match_reordered);
}

}  // namespace likewise::bindings

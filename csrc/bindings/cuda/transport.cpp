#include "transport/cuda/transport.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

// Masses that are given stay with the CPU.
void transport(const DeviceArray& cost, const py::none&, const py::none&, const DeviceArray& plan,
               const DeviceArray& row_dual, const DeviceArray& column_dual, const DeviceArray& gap,
               Run& run) {
  const CallContext context(run);
  const int64_t m = cost.sizes().rbegin()[1], n = cost.sizes().back();
  const bool transposed = m > n;
  const cuda::TransportShapes shapes{gap.size(), int(std::min(m, n)), int(std::max(m, n)),
                                     transposed};
  dispatch_float(cost, [&](auto zero) {
    using T = decltype(zero);
    cuda::solve_transports<T>(context, shapes, shorter_side_first<T>(cost, transposed, context),
                              plan.filled<T>(), row_dual.filled<double>(),
                              column_dual.filled<double>(), gap.filled<double>());
  });
}

// And so does a part of the mass.
bool is_distance(const SoftMatchOptions& options) {
  if (options.mass != 1) throw InternalError("a part of the mass reached the CUDA engine");
  return options.distance;
}

void soft_match_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                       const DeviceArray& scores, const DeviceArray& counts,
                       const SoftMatchOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::soft_match_scores<T>(context, is_distance(options), matrices<T>(a, context),
                               matrices<T>(b, context), a[0].sizes()[0], b.empty(),
                               scores.filled<double>(), counts.filled<int64_t>());
  });
}

void soft_match_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const std::optional<DeviceArray>& plan,
                      const SoftMatchOptions& options, Run& run) {
  const CallContext context(run);
  const cuda::UnitShapes shapes{scores.size(), x.sizes().rbegin()[1], x.sizes().back(),
                                y.sizes().back()};
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::soft_match_pairs<T>(context, is_distance(options), shapes, contiguous<T>(x, context),
                              contiguous<T>(y, context), scores.filled<double>(),
                              plan ? plan->filled<T>() : nullptr, counts.filled<int64_t>());
  });
}

}  // namespace

void register_transport(py::module_& m) {
  m.attr("most_transported") = cuda::kMostTransported;
  m.def("transport", &transport);
  m.def("soft_match_scores", &soft_match_scores);
  m.def("soft_match_pairs", &soft_match_pairs);
}

}  // namespace likewise::bindings

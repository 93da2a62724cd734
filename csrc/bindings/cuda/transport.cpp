#include "transport/cuda/transport.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "bindings/cuda/arrays.h"

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
void soft_match(bool distance, double mass, const DeviceArray& x, const DeviceArray& y,
                const DeviceArray& score, const DeviceArray& plan,
                const DeviceArray& constant_units, Run& run) {
  if (mass != 1) throw InternalError("a part of the mass reached the CUDA engine");
  const CallContext context(run);
  const cuda::UnitShapes shapes{score.size(), x.sizes().rbegin()[1], x.sizes().back(),
                                y.sizes().back()};
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::soft_match<T>(context, distance, shapes, contiguous<T>(x, context),
                        contiguous<T>(y, context), score.filled<double>(), plan.filled<T>(),
                        constant_units.filled<int64_t>());
  });
}

void soft_match_cross(bool distance, const std::vector<DeviceArray>& a,
                      const std::vector<DeviceArray>& b, bool symmetric, const DeviceArray& scores,
                      const DeviceArray& constant_units, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::soft_match_cross<T>(context, distance, matrices<T>(a, context), matrices<T>(b, context),
                              a[0].sizes()[0], symmetric, scores.filled<double>(),
                              constant_units.filled<int64_t>());
  });
}

}  // namespace

void register_transport(py::module_& m) {
  m.attr("most_transported") = cuda::kMostTransported;
  m.def("transport", &transport);
  m.def("soft_match", &soft_match);
  m.def("soft_match_cross", &soft_match_cross);
}

}  // namespace likewise::bindings

#include "bindings/cuda/arrays.h"
#include "network/cuda/layers.h"

namespace likewise::bindings {
namespace {

// Along the axis of `in` before which there are `outer` combinations of indices.
void take_units(const DeviceArray& in, int64_t outer, const DeviceArray& order,
                const DeviceArray& out, Run& run) {
  if (in.size() == 0) return;
  const CallContext context(run);
  const int64_t units = order.size();
  dispatch_float(in, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(cuda::take_units<T>(in.elements<T>(), outer, units, in.size() / (outer * units),
                                    order.elements<int64_t>(), out.filled<T>(), context.stream),
                "launch");
  });
}

void weighted_mean(const DeviceArray& a, const DeviceArray& b, double share, const DeviceArray& out,
                   Run& run) {
  const CallContext context(run);
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(cuda::weighted_mean<T>(a.elements<T>(), b.elements<T>(), a.size(), share,
                                       out.filled<T>(), context.stream),
                "launch");
  });
}

}  // namespace

void register_network(py::module_& m) {
  m.def("take_units", &take_units);
  m.def("weighted_mean", &weighted_mean);
}

}  // namespace likewise::bindings

#include "arrays/cuda/means.h"
#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// Of maps (samples, units, ..., positions at the end), or of sequences (samples, positions, units).
void position_means(const DeviceArray& x, bool units_first, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const T* const from = x.elements<T>();
    T* const to = out.filled<T>();
    if (units_first) {
      cuda::row_means<T>(from, out.size(), x.size() / out.size(), to, context.stream);
    } else {
      cuda::column_means<T>(from, shape[0], shape[1], shape[2], to, context.stream);
    }
  });
}

}  // namespace

void register_reduce(py::module_& m) { m.def("position_means", &position_means); }

}  // namespace likewise::bindings

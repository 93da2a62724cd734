#include "information/cuda/information.h"

#include "bindings/cuda/units.h"

namespace likewise::bindings {
namespace {

void mutual_information(const DeviceArray& x, const DeviceArray& y, int64_t bins, bool correct,
                        const DeviceArray& out, const DeviceArray& constant_units, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::mutual_information<T>(context, unit_shapes(x, y), contiguous<T>(x, context),
                                contiguous<T>(y, context), bins, correct, out.filled<double>(),
                                constant_units.filled<int64_t>());
  });
}

}  // namespace

void register_information(py::module_& m) { m.def("mutual_information", &mutual_information); }

}  // namespace likewise::bindings

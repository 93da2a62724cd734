#include "units/cuda/units.h"

#include "bindings/cuda/units.h"

namespace likewise::bindings {
namespace {

void correlations(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
                  const DeviceArray& counts, Run& run) {
  const CallContext context(run);
  cuda::unit_correlations(context, unit_shapes(x, y), contiguous<double>(x, context),
                          contiguous<double>(y, context), out.filled<double>(),
                          counts.filled<int64_t>());
}

}  // namespace

void register_units(py::module_& m) { m.def("unit_correlations", &correlations); }

}  // namespace likewise::bindings

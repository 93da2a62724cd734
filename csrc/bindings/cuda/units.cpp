#include "units/cuda/units.h"

#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// Of pairs x (..., n, dx) and y (..., n, dy) with the same leading axes.
void correlations(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
                  const DeviceArray& counts, Run& run) {
  const CallContext context(run);
  const auto a = matrix<double>(x, context), b = matrix<double>(y, context);
  cuda::unit_correlations(context, {counts.size() / 2, rows_of(x), a.cols, b.cols}, a.data, b.data,
                          out.filled<double>(), counts.filled<int64_t>());
}

}  // namespace

void register_units(py::module_& m) { m.def("unit_correlations", &correlations); }

}  // namespace likewise::bindings

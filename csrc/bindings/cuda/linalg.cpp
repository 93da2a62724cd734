#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "linalg/cuda/libraries.h"
#include "linalg/cuda/polar.h"

namespace likewise::bindings {
namespace {

void nuclear_norm(const DeviceArray& a, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = a.sizes();
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::nuclear_norms<T>(context, a.elements<T>(), out.size(), shape[shape.size() - 2],
                           shape[shape.size() - 1], out.filled<double>());
  });
}

}  // namespace

void register_linalg(py::module_& m) {
  m.def("set_library_directories", &cuda::set_library_directories);
  m.def("nuclear_norm", &nuclear_norm);
}

}  // namespace likewise::bindings

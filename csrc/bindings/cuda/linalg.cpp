#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "linalg/cuda/libraries.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/svd.h"

namespace likewise::bindings {
namespace {

// Calls body(context, elements, count, rows, cols) with the matrices of a contiguous batch.
template <class Body>
void with_matrices(const DeviceArray& a, Run& run, Body&& body) {
  const CallContext context(run);
  const int64_t rows = rows_of(a), cols = a.sizes().back(), size = rows * cols;
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    body(context, a.elements<T>(), size > 0 ? a.size() / size : 0, rows, cols);
  });
}

void nuclear_norm(const DeviceArray& a, const DeviceArray& out, Run& run) {
  with_matrices(a, run, [&]<class T>(const auto& context, const T* data, auto... shape) {
    cuda::nuclear_norms<T>(context, data, shape..., out.filled<double>());
  });
}

void svdvals(const DeviceArray& a, const DeviceArray& out, Run& run) {
  with_matrices(a, run, [&]<class T>(const auto& context, const T* data, auto... shape) {
    cuda::svdvals<T>(context, data, shape..., out.filled<T>());
  });
}

void polar(const DeviceArray& a, const DeviceArray& u, const DeviceArray& p, Run& run) {
  with_matrices(a, run, [&]<class T>(const auto& context, const T* data, auto... shape) {
    cuda::polar<T>(context, data, shape..., u.filled<T>(), p.filled<T>());
  });
}

void orthogonal_procrustes(const DeviceArray& a, const DeviceArray& b, const DeviceArray& r,
                           const DeviceArray& scale, Run& run) {
  with_pairs(a, b, run,
             [&]<class T>(const auto& context, const cuda::Matrix<T>& from,
                          const cuda::Matrix<T>& to, int64_t count, int64_t rows) {
               cuda::orthogonal_procrustes<T>(context, from.data, to.data, count, rows, from.cols,
                                              r.filled<T>(), scale.filled<T>());
             });
}

}  // namespace

void register_linalg(py::module_& m) {
  m.def("set_library_directories", &cuda::set_library_directories);
  m.def("nuclear_norm", &nuclear_norm);
  m.def("svdvals", &svdvals);
  m.def("polar", &polar);
  m.def("orthogonal_procrustes", &orthogonal_procrustes);
}

}  // namespace likewise::bindings

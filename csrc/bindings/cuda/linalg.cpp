#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "linalg/cuda/libraries.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/svd.h"

namespace likewise::bindings {
namespace {

// The last two axes of a batch.
struct Shape {
  explicit Shape(const DeviceArray& a)
      : rows(a.sizes()[a.sizes().size() - 2]),
        cols(a.sizes().back()),
        count(rows * cols > 0 ? a.size() / (rows * cols) : 0) {}
  int64_t rows, cols, count;
};

void nuclear_norm(const DeviceArray& a, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  const Shape shape(a);
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::nuclear_norms<T>(context, a.elements<T>(), shape.count, shape.rows, shape.cols,
                           out.filled<double>());
  });
}

void svdvals(const DeviceArray& a, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  const Shape shape(a);
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::svdvals<T>(context, a.elements<T>(), shape.count, shape.rows, shape.cols,
                     out.filled<T>());
  });
}

void polar(const DeviceArray& a, const DeviceArray& u, const DeviceArray& p, Run& run) {
  const CallContext context(run);
  const Shape shape(a);
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::polar<T>(context, a.elements<T>(), shape.count, shape.rows, shape.cols, u.filled<T>(),
                   p.filled<T>());
  });
}

void orthogonal_procrustes(const DeviceArray& a, const DeviceArray& b, const DeviceArray& r,
                           const DeviceArray& scale, Run& run) {
  const CallContext context(run);
  const Shape shape(a);
  dispatch_float(a, [&](auto zero) {
    using T = decltype(zero);
    cuda::orthogonal_procrustes<T>(context, contiguous<T>(a, context), contiguous<T>(b, context),
                                   scale.size(), shape.rows, shape.cols, r.filled<T>(),
                                   scale.filled<T>());
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

#include "bindings/arrays.h"
#include "core/finite.h"
#include "core/isa.h"
#include "linalg/linalg.h"

namespace likewise::bindings {

void register_core(py::module_& m) {
  m.def("simd", [] { return isa_name(active_isa()); });
  m.def("blas", [] { return blas_description(); });
  m.def("no_cuda", [] { return LIKEWISE_NO_CUDA; });
  m.def(
      "first_nonfinite",
      [](const py::array& array, int threads) {
        const ArrayRef view = input(array);
        const py::gil_scoped_release release;
        return first_nonfinite(view, threads);
      },
      py::arg("array"), py::arg("threads"));
}

}  // namespace likewise::bindings

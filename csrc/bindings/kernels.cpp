#include "kernels/kernels.h"

#include "bindings/measures.h"

namespace likewise::bindings {

void register_kernels(py::module_& m) {
  m.def("kernel_scores", of_lists(&kernel_scores));
  m.def("kernel_pairs", of_pairs(&kernel_pairs));
  m.def("kernel_gradients", of_gradients(&kernel_gradients));
  m.def("kernel_reordered", of_orders(&kernel_reordered));
}

}  // namespace likewise::bindings

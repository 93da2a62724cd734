#include "procrustes/procrustes.h"

#include "bindings/measures.h"

namespace likewise::bindings {

void register_procrustes(py::module_& m) {
  m.def("procrustes_scores", of_lists(&procrustes_scores));
  m.def("procrustes_pairs", of_pairs(&procrustes_pairs));
  m.def("procrustes_gradients", of_gradients(&procrustes_gradients));
  m.def("procrustes_reordered", of_orders(&procrustes_reordered));
}

}  // namespace likewise::bindings

#include "cca/cca.h"

#include "bindings/measures.h"

namespace likewise::bindings {

void register_cca(py::module_& m) {
  m.def("cca_scores", of_lists(&cca_scores));
  m.def("cca_pairs", of_pairs(&cca_pairs));
  m.def("canonical_correlations", of_pairs(&canonical_correlations));
  m.def("cca_reordered", of_orders(&cca_reordered));
}

}  // namespace likewise::bindings

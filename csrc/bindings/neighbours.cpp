#include "neighbours/neighbours.h"

#include "bindings/measures.h"

namespace likewise::bindings {

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", of_lists(&neighbour_scores));
  m.def("neighbour_pairs", of_pairs(&neighbour_pairs));
}

}  // namespace likewise::bindings

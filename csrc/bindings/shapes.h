#pragma once

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "procrustes/procrustes.h"

// What is found in shapes, for the topics that compare them.

namespace likewise::bindings {

inline ShapeCounts shape_counts(py::array& counts) {
  const Counts given = counts_of(counts);
  return {given.row(0), given.row(1), given.items};
}

}  // namespace likewise::bindings

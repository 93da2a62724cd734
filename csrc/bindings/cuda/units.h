#pragma once

#include "assignment/cuda/match.h"
#include "bindings/cuda/arrays.h"

namespace likewise::bindings {

// Of pairs x (..., n, dx) and y (..., n, dy) with the same leading axes.
inline cuda::UnitShapes unit_shapes(const DeviceArray& x, const DeviceArray& y) {
  const std::vector<int64_t>& shape = x.sizes();
  int64_t count = 1;
  for (size_t axis = 0; axis + 2 < shape.size(); ++axis) count *= shape[axis];
  return {count, shape[shape.size() - 2], shape.back(), y.sizes().back()};
}

}  // namespace likewise::bindings

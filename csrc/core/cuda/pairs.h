#pragma once

#include <cstdint>

#include "core/view.h"

namespace likewise::cuda {

// Pairs of items in C order of an array of this shape: how far each side goes on along an axis.
struct PairAxes {
  int ndim;
  int64_t shape[kMaxDims], step_a[kMaxDims], step_b[kMaxDims];
};

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/view.h"

namespace likewise::cuda {

// Pairs of items in C order of an array of this shape: how far each side goes on along an axis.
struct PairAxes {
  int ndim;
  int64_t shape[kMaxDims], step_a[kMaxDims], step_b[kMaxDims];
};

struct ItemPair {
  int64_t a, b;
};

__host__ __device__ inline ItemPair items_of(const PairAxes& axes, int64_t pair) {
  ItemPair items{0, 0};
  for (int d = axes.ndim - 1; d >= 0; --d) {
    const int64_t rest = pair / axes.shape[d], at = pair - rest * axes.shape[d];
    pair = rest;
    items.a += at * axes.step_a[d];
    items.b += at * axes.step_b[d];
  }
  return items;
}

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include "core/cuda/pairs.h"

namespace likewise::cuda {

struct ItemPair {
  int64_t a, b;
};

__device__ inline ItemPair items_of(const PairAxes& axes, int64_t pair) {
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

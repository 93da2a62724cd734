#pragma once

#include "core/cuda/kernel.cuh"

// The largest of a row of numbers, by a warp, and the first of those that tie with it.

namespace likewise::cuda {

// In every lane; -INFINITY where all are NaN.
template <class T>
__device__ __forceinline__ T largest_of(const T* __restrict__ row, int64_t cols) {
  T best = -INFINITY;
  for (int64_t j = int(threadIdx.x) & 31; j < cols; j += 32) {
    if (row[j] > best) best = row[j];
  }
  for (int step = 16; step > 0; step /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, best, step);
    if (other > best) best = other;
  }
  return best;
}

// In every lane the first column of at least this value, `cols` without one.
template <class T>
__device__ __forceinline__ int64_t first_at_least(const T* __restrict__ row, int64_t cols,
                                                  double least) {
  long long where = cols;
  for (int64_t j = int(threadIdx.x) & 31; j < cols && where == cols; j += 32) {
    if (double(row[j]) >= least) where = j;
  }
  for (int step = 16; step > 0; step /= 2) {
    const long long there = __shfl_xor_sync(kAllLanes, where, step);
    if (there < where) where = there;
  }
  return where;
}

}  // namespace likewise::cuda

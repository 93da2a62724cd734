#pragma once

#include "core/cuda/kernel.cuh"

// What searches for shortest paths over the columns of a cost matrix share: a block looks for the
// nearest column, every thread minding columns of its own.

namespace likewise::cuda {

constexpr int kNoRow = 0x7fffffff;
constexpr int kColumnsPerThread = 32;  // one bit each
constexpr int kFullBit = 20;           // above every column

struct Nearest {
  double distance;
  int key;  // full << kFullBit | column: ties go to a column with room, then to the lowest index
};

__device__ __forceinline__ bool nearer(const Nearest& a, const Nearest& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.key < b.key);
}

__device__ __forceinline__ Nearest warp_nearest(Nearest best) {
  for (int step = 16; step > 0; step /= 2) {
    const Nearest other{__shfl_xor_sync(kAllLanes, best.distance, step),
                        __shfl_xor_sync(kAllLanes, best.key, step)};
    if (nearer(other, best)) best = other;
  }
  return best;
}

// In every thread the nearest of the block. The results of the warps are kept for two calls in
// turns, told apart by `parity`: one barrier per call is enough.
__device__ __forceinline__ Nearest block_nearest(Nearest best, double* partial_distance,
                                                 int* partial_key, int& parity) {
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  best = warp_nearest(best);
  if (lane == 0) {
    partial_distance[parity * 32 + warp] = best.distance;
    partial_key[parity * 32 + warp] = best.key;
  }
  __syncthreads();
  best = {INFINITY, kNoRow};
  if (lane < int(blockDim.x) >> 5) {
    best = {partial_distance[parity * 32 + lane], partial_key[parity * 32 + lane]};
  }
  best = warp_nearest(best);
  parity ^= 1;
  return best;
}

constexpr int kAtOnce = 4;

// The elements first, first + step, ... of a row, all on their way before the first is looked at;
// undefined from `size` on.
template <class T>
struct AtOnce {
  T values[kAtOnce];

  __device__ __forceinline__ AtOnce(const T* row, int first, int step, int size) {
    for (int q = 0; q < kAtOnce; ++q) {
      if (first + q * step < size) values[q] = row[first + q * step];
    }
  }
  // Calls body(place, q, value).
  template <class Body>
  __device__ __forceinline__ void each(int first, int step, int size, Body&& body) const {
    for (int q = 0; q < kAtOnce; ++q) {
      if (first + q * step < size) body(first + q * step, q, values[q]);
    }
  }
};

inline int threads_for_columns(int cols) {
  const int least = (cols + kColumnsPerThread - 1) / kColumnsPerThread;
  const int wanted = cols <= 64 ? 32 : cols <= 256 ? 64 : cols <= 1024 ? 128 : kMostThreads;
  return ((wanted < least ? least : wanted) + 31) / 32 * 32;
}

}  // namespace likewise::cuda

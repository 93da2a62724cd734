#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/cuda/launch.h"

// What every file of kernels includes. The same files are compiled by nvcc and, for the tests, as
// C++ against the simulator in tests/cuda/sim. Rules that keep this possible:
//  * shared memory is a SHARED_ARRAY or comes from a SharedArena, and starts undefined;
//  * kernels are started by launch(), take values and raw pointers, and own no memory;
//  * no lane is assumed to run in step with another: masks are written out;
//  * sums have a fixed order, so that runs repeat bit for bit.

#ifdef __CUDACC__
#define SHARED_ARRAY(T, name, n) __shared__ T name[n]

// Pieces of the dynamic shared memory of a block, every thread taking the same ones.
class SharedArena {
 public:
  template <class T>
  __device__ T* take(size_t n) {
    extern __shared__ __align__(16) unsigned char arena[];
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    T* const piece = reinterpret_cast<T*>(arena + used_);
    used_ += n * sizeof(T);
    return piece;
  }

 private:
  size_t used_ = 0;
};
#endif

namespace likewise::cuda {

// The bytes that a SharedArena gives for the same sequence of pieces.
class SharedSize {
 public:
  template <class T>
  SharedSize& add(size_t n) {
    bytes = (bytes + alignof(T) - 1) / alignof(T) * alignof(T) + n * sizeof(T);
    return *this;
  }
  size_t bytes = 0;
};

constexpr unsigned kAllLanes = 0xffffffffu;

// In every lane the sum over the warp, added in an order that does not depend on the lane.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// In every thread the sum over a block of whole warps. `partial` has room for 32 values; a barrier
// must lie between two uses of it.
template <class T>
__device__ T block_sum(T value, T* partial) {
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const int warps = int(blockDim.x) >> 5;
  value = warp_sum(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  T sum = 0;
  for (int w = 0; w < warps; ++w) sum += partial[w];
  return sum;
}

constexpr int kMostThreads = 256;

// Whole warps, as many as are busy with `size` elements.
inline dim3 threads_for(int64_t size) {
  return dim3(size < kMostThreads ? unsigned((size + 31) / 32 * 32) : unsigned(kMostThreads));
}

// Blocks of threads_for(size) that take one element each or, beyond 4096 blocks, several.
inline dim3 blocks_for(int64_t size) {
  constexpr int64_t kMostBlocks = 4096;
  const int64_t blocks = (size + kMostThreads - 1) / kMostThreads;
  return dim3(unsigned(blocks < kMostBlocks ? blocks : kMostBlocks));
}

template <class... Expected, class... Given>
void launch(void (*kernel)(Expected...), dim3 grid, dim3 block, size_t shared_bytes,
            cudaStream_t stream, Given... arguments) {
  if (shared_bytes > 0) allow_shared(reinterpret_cast<const void*>(kernel), shared_bytes);
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Expected>(arguments)...), "launch");
}

}  // namespace likewise::cuda

#pragma once

#include "core/cuda/kernel.cuh"

namespace likewise::cuda {

// In every thread of a block of whole warps the largest |x|, or NaN if one is not finite. `partial`
// has room for 32 values; a barrier must lie between two uses of it.
template <class T, class A>
__device__ A largest_magnitude(const T* x, int64_t size, A* partial) {
  A largest = 0;
  bool finite = true;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    const A value = fabs(A(x[k]));
    finite = finite && value < INFINITY;
    largest = value > largest ? value : largest;
  }
  for (int step = 16; step > 0; step /= 2) {
    const A other = __shfl_xor_sync(kAllLanes, largest, step);
    largest = other > largest ? other : largest;
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = largest;
  finite = __syncthreads_and(finite);
  for (unsigned w = 0; w < blockDim.x / 32; ++w) {
    largest = partial[w] > largest ? partial[w] : largest;
  }
  return finite ? largest : A(NAN);
}

}  // namespace likewise::cuda

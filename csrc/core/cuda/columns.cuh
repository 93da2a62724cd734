#pragma once

#include "core/cuda/kernel.cuh"

// Blocks of kColumns x kStripes threads that go through the columns of row-major matrices: a warp
// reads neighbours of one row, and the stripes of a column share its rows.

namespace likewise::cuda {

constexpr int kColumns = 32, kStripes = 8;
constexpr int kMostExponent = 1000;

struct Sum {
  __device__ static double of(double a, double b) { return a + b; }
};
struct Largest {  // NaN once there is one
  __device__ static double of(double a, double b) { return a > b || !(a == a) ? a : b; }
};

// In every thread of a column the values of its stripes put together, always in the same order.
// `shared` has room for one value per thread.
template <class Op>
__device__ double over_stripes(double value, double* shared) {
  const int column = int(threadIdx.x), stripe = int(threadIdx.y);
  __syncthreads();  // the last use of `shared` is over
  shared[stripe * kColumns + column] = value;
  __syncthreads();
  double all = shared[column];
  for (int s = 1; s < kStripes; ++s) all = Op::of(all, shared[s * kColumns + column]);
  return all;
}

// The same over all threads of the block.
template <class Op>
__device__ double over_block(double value, double* shared) {
  value = over_stripes<Op>(value, shared);
  for (int step = 16; step > 0; step /= 2) {
    value = Op::of(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// The power of two that brings a size to [1, 2), as far as it is within 2^1000: 0 for 0, NaN for
// what is not finite.
__device__ inline double unit_for(double largest) {
  if (largest == 0) return 0;
  if (!(largest < INFINITY)) return NAN;
  const int exponent = ilogb(largest);
  return ldexp(1.0, exponent > kMostExponent    ? -kMostExponent
                    : exponent < -kMostExponent ? kMostExponent
                                                : -exponent);
}

inline dim3 blocks_of_columns(int64_t cols, int64_t items) {
  return dim3(unsigned((cols + kColumns - 1) / kColumns), unsigned(items));
}

}  // namespace likewise::cuda

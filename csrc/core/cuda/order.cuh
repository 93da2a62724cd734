#pragma once

#include "core/cuda/kernel.cuh"

// Orders: integers that sort as numbers do, and places in sorted lists.

namespace likewise::cuda {

// Unsigned integers in the order of the numbers; both zeros have the same.
__device__ inline unsigned key_of(float value) {
  const unsigned bits = __float_as_uint(value == 0 ? 0.0f : value);
  return bits >> 31 ? ~bits : bits | 1u << 31;
}
__device__ inline unsigned long long key_of(double value) {
  const auto bits = static_cast<unsigned long long>(__double_as_longlong(value == 0 ? 0.0 : value));
  return bits >> 63 ? ~bits : bits | 1ull << 63;
}

// The first place in [low, high) that does not have a property which all places before it have,
// and no later one; high if there is none.
template <class Has>
__device__ int64_t first_without(int64_t low, int64_t high, Has&& has) {
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (has(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace likewise::cuda

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

// By one warp: the digit of the `wanted`-th number (the first is 1) of those that are counted by
// digits, going up, or `down` from the largest. Calls found(digit, before, here), by the one lane
// that has it, with how many numbers come before the digit and how many have it.
template <int digits, class Count, class Found>
__device__ void find_digit(const Count* counts, Count wanted, bool down, Found&& found) {
  constexpr int kEach = digits / 32;
  const int lane = int(threadIdx.x), step_on = down ? -1 : 1;
  int digit = down ? digits - 1 - lane * kEach : lane * kEach;
  Count sum = 0;
  for (int t = 0; t < kEach; ++t) sum += counts[digit + t * step_on];
  Count end = sum;
  for (int step = 1; step < 32; step *= 2) {
    const Count other = __shfl_up_sync(kAllLanes, end, step);
    if (lane >= step) end += other;
  }
  Count before = end - sum;
  if (before >= wanted || end < wanted) return;
  for (; before + counts[digit] < wanted; digit += step_on) before += counts[digit];
  found(digit, before, counts[digit]);
}

}  // namespace likewise::cuda

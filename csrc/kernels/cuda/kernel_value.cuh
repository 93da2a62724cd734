#pragma once

#include "core/cuda/kernel.cuh"
#include "kernels/cuda/gram.h"

// Kernels of two samples, as kernels/scaled_kernel.h has them.

namespace likewise::cuda {

// Of the inner product (linear, polynomial) or the squared distance (rbf) of two samples.
__device__ inline double kernel_value(const GramItem& item, const GramOptions& options,
                                      double argument) {
  if (options.function == GramFunction::rbf) {
    const double power = item.factor * argument;
    return item.shift == -1 ? exp(power) : expm1(power) - item.shift;
  }
  if (options.function == GramFunction::linear) return argument;
  const double base = item.factor * argument + item.coef0;
  const double other = item.factor * item.origin + item.coef0;
  double sum = 1, power = 1;
  for (int64_t k = 1; k < options.degree; ++k) {
    power *= other;
    sum = sum * base + power;
  }
  return (argument - item.origin) * item.slope * sum;
}

// Its derivative by that.
__device__ inline double kernel_slope(const GramItem& item, const GramOptions& options,
                                      double argument) {
  if (options.function == GramFunction::rbf) return item.factor * exp(item.factor * argument);
  if (options.function == GramFunction::linear) return 1;
  const double base = item.factor * argument + item.coef0;
  double power = 1;
  for (int64_t k = 1; k < options.degree; ++k) power *= base;
  return double(options.degree) * item.slope * power;
}

// Squared distance of samples p and q of an item, from the difference.
template <class T>
__device__ double squared_difference(const T* samples, int64_t cols, double unit, int64_t p,
                                     int64_t q) {
  double square = 0;
  for (int64_t j = 0; j < cols; ++j) {
    const double step = (double(samples[p * cols + j]) - double(samples[q * cols + j])) * unit;
    square += step * step;
  }
  return square;
}

// Squared distance for the rbf kernel, from the norms of two samples and their product in T; see
// least_safe_distance in kernels/distances.h.
template <class T>
__device__ double safe_distance(const GramItem& item, double norms, double product, int64_t p,
                                int64_t q) {
  constexpr double kHarmless = 8, kUnits = 64, kEpsilon = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  if (p == q) return 0 * product;
  const double square = norms - 2 * product, size = -item.factor * norms;
  const double safe =
      size > kHarmless ? log(size / kHarmless) / -item.factor + kUnits * kEpsilon * norms : 0;
  if (square < safe) {
    return squared_difference(static_cast<const T*>(item.samples), item.cols, item.unit, p, q);
  }
  return square > 0 ? square : 0 * square;  // NaN stays
}

}  // namespace likewise::cuda

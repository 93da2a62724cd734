#pragma once

#include <cstdint>

#include "core/isa.h"

// Squared distances from the differences themselves, compiled once per instruction set
// (differences.simd.cpp). Inner products lose the digits of samples that are far from the origin
// and near each other; differences do not.

namespace likewise {

struct DifferenceKernels {
  // Sum over k of ((a[k] - b[k]) * scale)^2 in double.
  double (*square_f32)(const float* a, const float* b, int64_t count, double scale);
  double (*square_f64)(const double* a, const double* b, int64_t count, double scale);
};

LIKEWISE_KERNEL_TABLE(DifferenceKernels, difference_kernels)

inline double squared_difference(const float* a, const float* b, int64_t count, double scale = 1) {
  return difference_kernels_for_this_cpu().square_f32(a, b, count, scale);
}
inline double squared_difference(const double* a, const double* b, int64_t count,
                                 double scale = 1) {
  return difference_kernels_for_this_cpu().square_f64(a, b, count, scale);
}

}  // namespace likewise

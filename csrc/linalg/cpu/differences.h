#pragma once

#include <cstdint>

#include "core/isa.h"

// Squared distances from the differences themselves, compiled once per instruction set
// (differences.simd.cpp). Inner products lose the digits of samples that are far from the origin
// and near each other; differences do not.

namespace likewise {

template <class T>
struct DifferenceKernels {
  // Sum over k of ((a[k] - b[k]) * scale)^2 in double.
  double (*square)(const T* a, const T* b, int64_t count, double scale);
};

LIKEWISE_KERNELS(DifferenceKernels, difference_kernels)

template <class T>
double squared_difference(const T* a, const T* b, int64_t count, double scale = 1) {
  return difference_kernels<T>().square(a, b, count, scale);
}

}  // namespace likewise

#pragma once

#include <cstdint>

#include "core/isa.h"

// Kernels of two samples from their inner product, a row at a time, compiled once per instruction
// set (kernel_functions.simd.cpp).

namespace likewise {

// Every value is the kernel less that of two samples at some distance or with some inner product,
// taken so that near values keep the digits of their difference.
template <class T>
struct RbfParameters {
  T gamma;  // exp(-gamma |a - b|^2) - 1 - shift, with -1 for shift the kernel itself
  T shift;
};

template <class T>
struct PolynomialParameters {
  // [(gamma a'b + coef0)^degree - (gamma origin + coef0)^degree] factor / gamma
  T gamma, coef0;
  int64_t degree;
  T origin, factor;
};

template <class T>
struct KernelFunctions {
  // values[j] = kernel of a sample with sample j, from products[j], their inner product (may be the
  // same memory). norm and norms[j] are their squared norms. Adds values[j] to column_sums[j];
  // returns the sum of the values. Exponentials are within 1 unit in the last place, 0 where they
  // would be subnormal, NaN of NaN.
  double (*rbf)(const T* products, int64_t count, T norm, const T* norms,
                const RbfParameters<T>& parameters, T* values, T* column_sums);
  double (*polynomial)(const T* products, int64_t count, const PolynomialParameters<T>& parameters,
                       T* values, T* column_sums);
};

LIKEWISE_KERNELS(KernelFunctions, kernel_functions)

}  // namespace likewise

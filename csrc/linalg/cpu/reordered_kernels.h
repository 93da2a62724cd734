#pragma once

#include <cstdint>

#include "core/isa.h"

namespace likewise {

struct ReorderedKernels {
  // out[k] = sum over j < i of a[i * n + j] * b[order[i] * n + order[j]] for the k-th of `count`
  // orders of n numbers. Together they read a row of `a` once.
  void (*products)(const double* a, const double* b, const int32_t* orders, int64_t count,
                   int64_t n, double* out);
};

LIKEWISE_KERNEL_TABLE(ReorderedKernels, reordered_kernels)

}  // namespace likewise

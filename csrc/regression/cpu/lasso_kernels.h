#pragma once

#include <cstdint>

#include "core/isa.h"

// The loops of coordinate descent, compiled once per instruction set (lasso.simd.cpp).

namespace likewise {

struct LassoSweep {
  double largest_change, largest_weight;
};

struct LassoKernels {
  // One pass over `count` weights of min 1/2 w'Gw - q'w + penalty |w|_1; `residual` is q - Gw and
  // stays so. Row i of `gram` starts at gram + i * ld.
  LassoSweep (*sweep)(int64_t count, const double* gram, int64_t ld, const double* inverse_diagonal,
                      double penalty, double* weights, double* residual);
  // residual[j] -= sum over k < count of change[k] * gram[index[k] * ld + j], for j < units.
  void (*update)(int64_t units, const double* gram, int64_t ld, int64_t count, const int32_t* index,
                 const double* change, double* residual);
};

LIKEWISE_KERNEL_TABLE(LassoKernels, lasso_kernels)

}  // namespace likewise

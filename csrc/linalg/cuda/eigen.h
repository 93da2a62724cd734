#pragma once

#include <cstdint>

#include "core/cuda/context.h"

// Eigenvalue decompositions of batches of symmetric matrices in float64, by cuSOLVER.

namespace likewise::cuda {

// Whether cuSOLVER decomposes matrices of this side here. Up to 64 rotations in shared memory are
// faster; beyond 46340 it takes none; and there may be none, or one from before CUDA 12.6.2.
bool has_eigen(int64_t n);

// What becomes of a matrix that has numbers that are not finite, or whose decomposition failed: it
// is NaN all over and told to the status, or its values are NaN and its vectors the unit vectors.
enum class WithoutEigen { nan, identity };

// values (count, n), ascending, of `matrices` (count, n, n), whose rows become the eigenvectors,
// in the same order, or, without `vectors`, undefined. `first`: place of the first of them in the
// batch that the status speaks of. Needs has_eigen(n).
//
// Estimate for an H100, 1000 matrices of 512 x 512, not measured: 9 n^3 flops each at a tenth of
// 50 TFLOP/s; 0.25 s.
void symmetric_eigen(const Context& context, double* matrices, int64_t count, int64_t n,
                     double* values, bool vectors, WithoutEigen without, int64_t first = 0);

}  // namespace likewise::cuda

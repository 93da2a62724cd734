#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"
#include "rsa/cuda/vectors.h"

// Square roots of second moments, for Bures's comparisons.

namespace likewise::cuda {

// out (count x n x n) = G + |G| I for packed second moments G as second_moments gives them:
// singular vectors of that are eigenvectors of G whatever signs its eigenvalues have. Zeros without
// a factor.
cudaError_t shifted_moments(const Vectors<double>& moments, int64_t count, int64_t n, double* out,
                            cudaStream_t stream);

// Negative eigenvalues beyond n times this share of |G| are added to items[k]. Null: nobody will
// look.
struct Clipping {
  double tolerance;
  int64_t* items;
  Clipping from(int64_t first) const { return {tolerance, items ? items + first : nullptr}; }
};

// roots (count x n x n) = F with F F' = G up to negative eigenvalues and rounding, from singular
// vectors (columns, one behind the other) and values of the shifted moments.
cudaError_t scaled_vectors(const double* vectors, const double* values, const double* factors,
                           int64_t count, int64_t n, const Clipping& clipping, double* roots,
                           cudaStream_t stream);

// Scores of the pairs of these axes become their squares (`squared`), and NaN where one of the two
// has no factor.
cudaError_t conclude_bures(const double* factors_a, const double* factors_b, const PairAxes& axes,
                           int64_t count, bool squared, double* scores, cudaStream_t stream);

}  // namespace likewise::cuda

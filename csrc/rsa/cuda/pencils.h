#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"
#include "rsa/cuda/rdm.h"

// Matrices a A + b B whose eigenvalues are those of (a G + b N) H^-1: for H = L L' and W = L^-1
// they are made of A = W G W' and B = W N W', N being the covariance I + 1 1' of differences from
// the first sample.

namespace likewise::cuda {

struct Simplex;

// What keeps an item from being compared.
enum ItemFault : int {
  kNotFinite = 1,
  kConstant = 2,
  kLowRank = 4,  // of those that others are compared with
};

// moments (count x side x side, side = n - 1): inner products of the samples minus the first one,
// of condensed RDMs of n samples. `faults` (count) says which are not finite, and zeros then, and
// which are of constant representations. At most 65535 items.
cudaError_t moments_about_first(const double* rdms, const RdmItem* facts, int64_t count, int64_t n,
                                double* moments, int* faults, cudaStream_t stream);

// Adds kLowRank to faults[k] of matrices with no Cholesky root (indefinite[k] > 0), or whose least
// of `side` eigenvalues, of any sign and in any order, is rounding of the largest.
cudaError_t find_low_rank(const double* values, const int64_t* indefinite, int64_t count,
                          int64_t side, int* faults, cudaStream_t stream);

// inverses (count x side x side) of lower triangular matrices, zeros above. At most 65535.
cudaError_t invert_lower(const double* lower, int64_t count, int64_t side, double* inverses,
                         cudaStream_t stream);

// out = I + 1 1'.
cudaError_t noise_covariance(int64_t side, double* out, cudaStream_t stream);

// moments[k] and inverses[k] of pairs [first, first + count): of their first and of their second
// items. At most 65535.
cudaError_t gather_pencils(const double* moments_a, const double* inverses_b, const PairAxes& axes,
                           int64_t first, int64_t count, int64_t side, double* moments,
                           double* inverses, cudaStream_t stream);

// out[k] = a A[k] + b B + shift I for what searches[k] asks, B being of the second item of pair
// first + k; the identity for what is done. At most 65535.
cudaError_t combine_pencils(const double* signals, const double* noises, const PairAxes& axes,
                            int64_t first, int64_t count, int64_t side, const Simplex* searches,
                            double* out, cudaStream_t stream);

}  // namespace likewise::cuda

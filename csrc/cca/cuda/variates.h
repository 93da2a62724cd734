#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// What whitening makes of the singular values (count, rank) of centred items.
struct Whitening {
  double* values;                 // become 1, or s / sqrt(s^2 + ridge); 0 where they do not count
  double* kept;                   // (count, rank): work
  int64_t* ranks;                 // (count): how many count; null where that is known
  const int64_t* constant_units;  // (count)
  int64_t count, rank, rows, cols;
  double regularization;  // ridge in units of the mean variance of the units that vary
  double variance;        // the largest values that have this share of all s^2 count
};
void whiten_values(const Whitening& whitening, cudaStream_t stream);

// Ranks of `count` pairs of items; those of x or y are `step` apart.
struct PairRanks {
  const int64_t *x, *y;
  int64_t step_x, step_y, count;
};

// scores[k] = sums[k] / least rank of pair k, NaN for rank 0.
void mean_correlations(const double* sums, const PairRanks& ranks, double* scores,
                       cudaStream_t stream);

// out (count, wanted): the first of `found` (count, size), zeros beyond the least rank of the pair;
// NaN for rank 0.
void leading_correlations(const double* found, int64_t size, const PairRanks& ranks, int64_t wanted,
                          double* out, cudaStream_t stream);

// scores[k] = sum_r w_r rho_r / sum_r w_r over the largest rho of pair k, as many as its least
// rank, with w_r = sum_j |projections(k, r, j)|. rho (count, size), projections (count, size,
// units).
struct Projections {
  const double *rho, *projections;
  int64_t size, units;
};
void weighted_correlations(const Projections& found, const PairRanks& ranks, double* scores,
                           cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"

// Kendall's coefficients of pairs of RDMs: concordant and discordant pairs of entries are counted
// in whole numbers, as many as M - tied_a - tied_b + tied_in_both and, of those, inversions.

namespace likewise::cuda {

// Ranks of RDMs (count x size) as rank_vectors gives them.
struct RankedRdms {
  const int32_t *ranks, *order;    // order: positions of the entries, ascending in their ranks
  const unsigned long long* tied;  // count: pairs of equal entries
  const double* factors;           // count: positive for RDMs that can be compared
  int64_t size;
};

// For pairs [first, first + count) of items: keys (count x size) that sort as the ranks of a do, of
// less than `size`, and the ranks of b as values, in the order of b. At most kMostVectors pairs,
// here and below.
cudaError_t gather_ranks(const RankedRdms& a, const RankedRdms& b, const PairAxes& axes,
                         int64_t first, int64_t count, unsigned* keys, int32_t* values,
                         cudaStream_t stream);

// Adds to tied (count) the pairs of equal entries of each RDM.
cudaError_t add_tied_within(const RankedRdms& rdms, int64_t count, unsigned long long* tied,
                            cudaStream_t stream);

// The same of pairs of RDMs, in both of which entries are equal, from keys and values (count x
// size) as gather_ranks gives them, sorted by keys.
cudaError_t add_tied(const unsigned* keys, const int32_t* values, int64_t count, int64_t size,
                     unsigned long long* tied, cudaStream_t stream);

// Adds to inversions (count) the pairs of values (count x size) of which the larger comes first.
// The values, and `room` for as many, are overwritten.
cudaError_t add_inversions(int32_t* values, int32_t* room, int64_t count, int64_t size,
                           unsigned long long* inversions, cudaStream_t stream);

// Of pairs of items: pairs of entries that are tied in both, and those that are discordant.
struct PairCounts {
  const unsigned long long *tied, *discordant;
};

enum class Tau { a, b };

// scores[first + k] = tau of pair first + k; NaN where one of the two cannot be compared, and where
// tau-b finds nothing but ties.
cudaError_t taus(const RankedRdms& a, const RankedRdms& b, const PairAxes& axes,
                 const PairCounts& counts, Tau tau, int64_t first, int64_t count, double* scores,
                 cudaStream_t stream);

}  // namespace likewise::cuda

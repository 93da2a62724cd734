#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"
#include "neighbours/neighbours.h"

namespace likewise::cuda {

// Pairs [first, first + count) and the neighbours that their items have.
struct NeighbourPairs {
  const int32_t *index_a, *index_b;  // items x rows x k, ascending in every row
  int64_t rows, k;
  PairAxes axes;
  int64_t first, count;  // at most 32768
  bool mirrored;         // a square whose pairs above the diagonal are those below it
};

// Sums over parts of the samples of every pair: terms of them per part.
constexpr int kSharedTerms = 1, kAlignmentTerms = 4;
int64_t overlap_parts(int64_t rows);

// parts (count x overlap_parts(rows)): sums of |A and B| / k or, `of_union`, / |A or B|.
void share_neighbours(const NeighbourPairs& pairs, bool of_union, double* parts,
                      cudaStream_t stream);

// parts (count x overlap_parts(rows) x kAlignmentTerms): the terms of the unbiased HSIC of the
// similarities of common neighbours. row_sums (count x rows) is work.
void align_neighbours(const NeighbourPairs& pairs, const double* similarity_a,
                      const double* similarity_b, double* row_sums, double* parts,
                      cudaStream_t stream);

// What becomes of these sums. `own`: of every item its alignment with itself, by which alignments
// are divided; null leaves them as they are, of items with themselves, and sets the status of those
// that are not positive. Items with a status that is not 0 have NaN.
struct OverlapScores {
  const double* parts;
  const double *own_a, *own_b;
  int64_t *status_a, *status_b;
  double* scores;  // of all pairs
};
void score_shared(const NeighbourPairs& pairs, const OverlapScores& out, cudaStream_t stream);
void score_alignments(const NeighbourPairs& pairs, const OverlapScores& out, cudaStream_t stream);

}  // namespace likewise::cuda

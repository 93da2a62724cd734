#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Of `count` items of unit norm and their singular values (count, width), of which as many exist
// as `ranks` say and the others are 0: those that x (alpha I + (1 - alpha) (x'x)^-1/2) has in units
// of the data, scaled to unit norm. What does not exist gets one too.
struct Reshaping {
  double* values;
  double* norms;  // (count): what the items have in units of the data; becomes 0 for rank 0
  const int64_t* ranks;
  int64_t count, width;
  double alpha;
};
void reshape_values(const Reshaping& reshaping, cudaStream_t stream);

// out[k] = |moved_k - y_k|^2 of `count` matrices of `size` elements; those of y are `step` apart.
template <class T>
void squared_distances(const T* moved, const T* y, int64_t step, int64_t count, int64_t size,
                       double* out, cudaStream_t stream);

enum class GapScore : int { angular, euclidean, euclidean_unscaled, similarity };

// `count` pairs of items with these norms; those of x or y are `step` apart.
struct Gaps {
  const double* similarity;
  const double* squared_distance;  // null for similarities alone
  const double *norm_x, *norm_y;
  int64_t step_x, step_y;
  int64_t count;
  double too_small;  // of a gap: it counts as close; 0: none does
};

// scores[k] of the gap of pair k, NaN for items without norm; adds to *close.
void score_gaps(const Gaps& gaps, GapScore score, double* scores, int64_t* close,
                cudaStream_t stream);

// Of a square grid whose upper triangle has the scores of i < j, the rest: those of j with i, and
// on the diagonal that of no gap.
void mirror_scores(const double* norms, int64_t count, GapScore score, double* scores,
                   cudaStream_t stream);

}  // namespace likewise::cuda

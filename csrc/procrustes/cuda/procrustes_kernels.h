#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Of `count` items of unit norm and their singular values (count, rank): those that x (alpha I +
// (1 - alpha) (x'x)^-1/2) has in units of the data, scaled to unit norm; 0 for what rounding may
// have made.
template <class T>
struct Reshaping {
  T* values;
  const double* norms;            // count: what the items have in units of the data
  const int64_t* constant_units;  // count
  int64_t count, rank, rows, cols;
  double alpha;
};
template <class T>
cudaError_t reshape_values(const Reshaping<T>& reshaping, cudaStream_t stream);

// out[k] = |moved_k - y_k|^2 of `count` matrices of `size` elements; those of y are `step` apart.
template <class T>
cudaError_t squared_distances(const T* moved, const T* y, int64_t step, int64_t count, int64_t size,
                              double* out, cudaStream_t stream);

enum class GapScore : int { angular, euclidean, euclidean_unscaled, similarity };

// `count` pairs of items with these norms; those of x or y are `step` apart.
struct Gaps {
  const double* similarity;
  const double* squared_distance;  // null for similarities alone
  const double *norm_x, *norm_y;
  int64_t step_x, step_y;
  int64_t count;
  double too_small;  // of a gap: it counts as close
};

// scores[k] of the gap of pair k, NaN for items without norm; adds to *close.
cudaError_t score_gaps(const Gaps& gaps, GapScore score, double* scores, int64_t* close,
                       cudaStream_t stream);

// Of a square grid whose upper triangle has the scores of i < j, the rest: those of j with i, and
// on the diagonal that of no gap.
cudaError_t mirror_scores(const double* norms, int64_t count, GapScore score, double* scores,
                          cudaStream_t stream);

}  // namespace likewise::cuda

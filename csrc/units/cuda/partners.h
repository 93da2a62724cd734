#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Partners of the rows of a similarity matrix (rows x cols): what likewise.UnitMatching has.
struct Partners {
  int64_t *greedy, *one_to_one;                       // rows; -1 without one
  double *greedy_similarity, *one_to_one_similarity;  // rows; NaN without one
  int64_t* counts;  // 2: partners one to one of at least the threshold, rows with equal partners
};

// The first of the columns that tie with the most similar one (by kTieTolerance of T), and no
// partner one to one yet; counts of zero.
template <class T>
cudaError_t greedy_partners(const T* similarity, int64_t rows, int64_t cols, const Partners& out,
                            cudaStream_t stream);

// The pairs of an assignment (`pairs` of them; -1 where there is no solution), and the counts.
template <class T>
cudaError_t assigned_partners(const T* similarity, int64_t cols, const int64_t* row_ind,
                              const int64_t* col_ind, int64_t pairs, double threshold,
                              const Partners& out, cudaStream_t stream);

}  // namespace likewise::cuda

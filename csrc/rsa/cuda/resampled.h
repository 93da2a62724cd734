#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "rsa/cuda/rdm.h"

// RDMs of samples that are drawn with replacement, from the RDM of all samples: copies of a sample
// tie exactly.

namespace likewise::cuda {

// out[i] = dissimilarity of sample i (rows x cols) and a copy of it: 0, 1 without direction
// (variance, length), NaN where it is not finite.
template <class T>
cudaError_t copy_dissimilarities(const T* x, int64_t rows, int64_t cols,
                                 Dissimilarity dissimilarity, double* out, cudaStream_t stream);

// The samples (rows x cols), their condensed RDM, and what copy_dissimilarities says of them.
template <class T>
struct Drawn {
  const T* x;
  const double *rdm, *copies;
  int64_t rows, cols;
};

// out: condensed RDMs of `count` draws (count x rows).
template <class T>
cudaError_t resample_rdms(const Drawn<T>& from, const int32_t* draws, int64_t count, double* out,
                          cudaStream_t stream);

// Whether all samples of a draw are equal; nothing else is said of it.
template <class T>
cudaError_t describe_draws(const Drawn<T>& from, const int32_t* draws, int64_t count,
                           RdmItem* items, cudaStream_t stream);

}  // namespace likewise::cuda

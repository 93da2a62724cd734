#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// What a permutation test and a bootstrap say about the scores that they drew.

namespace likewise::cuda {

// *p = (1 + #{null at least as extreme as *score}) / (count + 1), extreme being large or small; NaN
// if *score is.
template <class T>
cudaError_t p_value(const T* score, const T* null, int64_t count, bool larger, double* p,
                    cudaStream_t stream);

// Of the draws that are numbers: their standard deviation (of a sample), and the quantiles 0.025
// and 0.975 with linear interpolation. NaN for fewer than two.
struct Spread {
  double *error, *low, *high;
};
// `sorted` (count) is work.
template <class T>
cudaError_t spread(const T* draws, int64_t count, double* sorted, const Spread& out,
                   cudaStream_t stream);

}  // namespace likewise::cuda

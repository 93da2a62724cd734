#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// What a permutation test and a bootstrap say about the scores that they drew.

namespace likewise::cuda {

// How scores are compared: what is extreme, whether `null` holds all orders, and which differences
// are ties: those up to `error` times `scale`. Where that is infinite the largest score takes its
// place, among them the root of the product of what both sides score with themselves.
struct Comparison {
  bool larger, exact;
  double error, scale;
};
// *p = (1 + #{null at least as extreme as *score}) / (count + 1), or of all orders
// #{...} / count; NaN if *score is.
template <class T>
cudaError_t p_value(const T* score, const T* null, int64_t count, const T* own_x, const T* own_y,
                    const Comparison& how, double* p, cudaStream_t stream);

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

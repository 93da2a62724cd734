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

enum class Scaled { plain, arctanh, cube_root };

// How scores of subsets become an interval: the first `parts` draws are scores of parts, whose
// variance times `scale` is that of the score if samples act one by one, and 1 + `excess` times as
// much if they act in pairs; the others are scores of pairs of disjoint halves. The variance of
// the means of two halves, as a share of the mean square of half their difference, says how much
// is due to pairs of samples: none of it or, at one half, all.
struct Subsets {
  int64_t parts;
  double scale, excess, quantile;
  Scaled scaled;     // the function of the score whose interval it is
  double low, high;  // the range of the measure
  double rounding;   // halves that differ by no more of its width (or of the score) say nothing
};
struct Spread {
  double *error, *low, *high;
};
// The standard error of *score and the interval `quantile` of them around it. Draws that are no
// numbers are left out, as are their other halves; NaN for fewer than two parts or pairs.
template <class T>
cudaError_t interval(const T* score, const T* draws, int64_t count, const Subsets& how,
                     const Spread& out, cudaStream_t stream);

}  // namespace likewise::cuda

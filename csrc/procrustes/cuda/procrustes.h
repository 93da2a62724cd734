#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda {

// What one call finds, in device memory.
struct ShapeFindings {
  double* scores;
  int64_t* constant_units;  // of every item
  int64_t* dropped;         // directions of every item that may be rounding (alpha < 1)
  // Raised by the number of pairs whose gap 1 - s is too small for the precision of T to give their
  // angle; 0 before the call.
  int64_t* close;
};

// Procrustes and shape scores (see procrustes/procrustes.h) of all pairs, row-major. `b` is
// ignored with `symmetric`, which compares a with itself. Constant units are those of a, then of b.
// Items are reshaped (alpha < 1) in double alone.
//
// s = |X'Y|_* by the polar iteration of linalg/cuda/polar.h; where the score is not the similarity,
// the gap of nearly congruent pairs is |XP - Y|^2 / 2 with its polar factor P. Directions that this
// misses (below 1e-14 of X'Y in float64, thus 1e-7 of X) may add twice their own length.
template <class T>
void procrustes_scores(const Context& context, const std::vector<Matrix<T>>& a,
                       const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                       const ProcrustesOptions& options, const ShapeFindings& out);

// The same of x[k] with y[k] for `count` pairs. Constant units are those of all x, then of all y.
template <class T>
void procrustes_pairs(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                      int64_t rows, const ProcrustesOptions& options, const ShapeFindings& out);

}  // namespace likewise::cuda

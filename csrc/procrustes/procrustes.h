#pragma once

#include <cstdint>

#include "core/counts.h"
#include "core/view.h"

// Procrustes and generalised shape distances (Williams et al. 2021) of representations.
// Everything is a function of s, the nuclear norm of X'Y for unit-norm X and Y.

namespace likewise {

enum class ProcrustesScore { angular, euclidean, similarity };

// What becomes of the singular values s of a representation.
struct ShapeOptions {
  bool center = true;
  double alpha = 1;           // X (alpha I + (1 - alpha) (X'X)^-1/2): 1 is Procrustes, 0 is CCA
  double variance = 1;        // alpha = 0: the largest s that have this share of all s^2; others 0
  double regularization = 0;  // alpha = 0: s / sqrt(s^2 + regularization * mean of s^2 over units)
  bool directions = false;    // keep what units have to do with the columns of the result
};

struct ProcrustesOptions : ShapeOptions {
  bool scale = true;  // euclidean only: distances of unit-norm items, else of items as they are
  ProcrustesScore score = ProcrustesScore::angular;
};

// What is counted in items besides constant units, all of them for a constant item. alpha < 1: how
// many of the min(units that vary, samples - 1) directions rounding may have made.
constexpr int64_t kDroppedDirections = 1;

// scores (a x b) of all pairs; an empty b stands for a. NaN for constant representations. Throws
// ConvergenceError naming items or pairs whose SVD failed, as all of these.
void procrustes_scores(const Arrays& a, const Arrays& b, const ProcrustesOptions& options,
                       int threads, double* scores, const Counts& counts);

// Those of x[k] with y[k] for all items of two batches with equal batch axes. An item that
// neighbouring pairs share through a zero stride is prepared once per thread. Scores are NaN where
// an item is not finite.
void procrustes_pairs(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                      int threads, double* scores, const Counts& counts);

// The same with gradients by every entry of x and y, contiguous and of their dtype; null: not
// wanted. Computed in double. Where singular values vanish (fewer directions than units) the
// gradient is the one along the directions that there are; at congruence, where distances have
// none, it is 0. NaN where the score is.
void procrustes_gradients(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                          int threads, double* scores, const Counts& counts, void* grad_x,
                          void* grad_y);

// Scores (k) of x with y, its rows in each of k orders of them.
void procrustes_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                          const ProcrustesOptions& options, int threads, double* scores);

}  // namespace likewise

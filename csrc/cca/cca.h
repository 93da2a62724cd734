#pragma once

#include "cca/options.h"
#include "core/counts.h"
#include "core/view.h"

// Canonical correlation analysis. With whitened representations Zx and Zy (prepared shapes of
// alpha = 0) the canonical correlations are the singular values of Zx'Zy = P diag(rho) Q'.
// Scores are means of rho over the min(rank) correlations, plain or with weights sum_j |P_k'
// Zx'x_j| of the k-th, x being the item of the first side (Morcos, Raghu & Bengio 2018). NaN for
// constant representations and for those that are not finite. Whatever SVD fails throws
// ConvergenceError naming the items.

namespace likewise {

// scores (a x b) of all pairs; an empty b stands for a. What is counted: see count_shape.
void cca_scores(const Arrays& a, const Arrays& b, const CanonicalOptions& options, int threads,
                double* scores, const Counts& counts);

// Those of x[k] with y[k] for all items of two batches with equal batch axes.
void cca_pairs(const ArrayRef& x, const ArrayRef& y, const CanonicalOptions& options, int threads,
               double* scores, const Counts& counts);

// All correlations of the same pairs, descending, zeros beyond the rank: out (..., min(units)).
void canonical_correlations(const ArrayRef& x, const ArrayRef& y, const CanonicalOptions& options,
                            int threads, double* out, const Counts& counts);

// Scores (k) of x with y, its rows in each of k orders of them.
void cca_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                   const CanonicalOptions& options, int threads, double* scores);

}  // namespace likewise

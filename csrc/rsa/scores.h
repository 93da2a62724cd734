#pragma once

#include "core/counts.h"
#include "core/view.h"
#include "rsa/options.h"

// Scores of representations by their RDMs. NaN of a constant representation or one that is not
// finite, and of RDMs whose entries are all equal where the comparison needs a difference.

namespace likewise {

// What is counted in items besides constant units.
constexpr int64_t kFlat = 1;     // 1: all entries of its RDM are equal, a difference was needed
constexpr int64_t kWithout = 2;  // samples without direction of items that have scores

// scores (a x b) of all pairs; an empty b stands for a.
void rsa_scores(const Arrays& a, const Arrays& b, const RsaOptions& options, int threads,
                double* scores, const Counts& counts);

// Those of x[k] with y[k] for all items of two batches with equal batch axes.
void rsa_pairs(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
               double* scores, const Counts& counts);

// The same with gradients by every entry of x and y, contiguous and of their dtype; null: not
// wanted. Of comparisons by inner products of entries or second moments. NaN where the score is;
// samples without direction, and equal ones under the euclidean distance, have none: 0.
void rsa_gradients(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
                   double* scores, const Counts& counts, void* grad_x, void* grad_y);

// Scores (k) of x with y, its rows in each of k orders of them, for comparisons by inner products
// of entries or ranks.
void rsa_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                   const RsaOptions& options, int threads, double* scores);

// Scores (p x q) of condensed RDMs in rows; `flat` (p + q) as above.
void compare_rdms(const ArrayRef& p, const ArrayRef& q, RdmComparison comparison, int threads,
                  double* scores, int64_t* flat);

// out (rows): what a comparison of entries or ranks sees of condensed RDMs in rows, NaN where that
// is nothing.
void compared_rdms(const ArrayRef& rdms, RdmComparison comparison, int threads, double* out);

// Units that are equal in all samples.
template <class T>
int64_t constant_units(const MatrixRef<const T>& x);

}  // namespace likewise

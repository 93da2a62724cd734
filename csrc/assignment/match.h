#pragma once

#include <cstdint>

#include "core/counts.h"
#include "core/view.h"

namespace likewise {

// How the units of x are paired with units of y, given all Pearson correlations.
enum class Matching {
  permutation,  // min(dx, dy) units one to one, at the largest sum
  semi,         // every unit of x with its most correlated unit of y, the first that ties
};

// Columns of x (rows x cols) centred and scaled to unit norm, so that inner products are
// correlations; out is row-major and contiguous. Columns of equal values become zeros.
// Returns how many there are.
template <class T>
int64_t unit_columns(const MatrixRef<const T>& x, T* out);

// score (a x b): mean correlations of the paired units for all pairs of two lists; an empty b
// stands for a. Constant units are counted. A pair with a constant representation scores NaN.
void match_scores(const Arrays& a, const Arrays& b, const Matching& matching, int threads,
                  double* scores, const Counts& counts);

// The same of x[k] with y[k] for all items of two batches (..., n, dx) and (..., n, dy), and
// assignment (count, dx; may be null) with -1 for the unmatched.
void match_pairs(const ArrayRef& x, const ArrayRef& y, const Matching& matching, int threads,
                 double* scores, const Counts& counts, int64_t* assignment);

// The same (k) of x with y, its rows in each of k orders of them.
void match_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                     const Matching& matching, int threads, double* scores);

// The correlations (count, dx, dy) themselves, of double; 0 for constant units, counted likewise.
void unit_correlations(const ArrayRef& x, const ArrayRef& y, int threads, double* correlation,
                       const Counts& counts);

}  // namespace likewise

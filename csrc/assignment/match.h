#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "linalg/cross.h"

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

// For every pair of a batch x (..., n, dx), y (..., n, dy): the mean correlation of the paired
// units, assignment (count, dx; may be null) with -1 for the unmatched, and the numbers of constant
// units of all x, then of all y. A pair with a constant representation scores NaN and matches
// nothing.
void match_pairs(Matching matching, const ArrayRef& x, const ArrayRef& y, double* score,
                 int64_t* assignment, int64_t* constant_units, int threads);

// The correlations (count, dx, dy) themselves, of double; 0 for constant units, counted likewise.
void unit_correlations(const ArrayRef& x, const ArrayRef& y, double* correlation,
                       int64_t* constant_units, int threads);

// Items that unit_columns has prepared.
template <class T>
struct UnitItems {
  std::vector<Item<T>> items;
  const int64_t* constant_units;
  std::vector<std::vector<T>> data;  // of the items, if they are no one else's

  // Nothing but constant units.
  bool is_constant(int64_t k) const { return constant_units[k] == items[k].cols; }
};

// Prepares a list; the numbers of constant units stay where they are written.
template <class T>
UnitItems<T> prepare_units(const std::vector<MatrixRef<const T>>& items, int threads,
                           int64_t* constant_units);

// score (a x b) of all pairs, or of `a` against itself if `b` is empty.
template <class T>
void match_scores(Matching matching, const UnitItems<T>& a, const UnitItems<T>& b, int64_t rows,
                  double* score, int threads);

}  // namespace likewise

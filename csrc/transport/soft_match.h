#pragma once

#include <cstdint>

#include "assignment/match.h"
#include "core/view.h"

namespace likewise {

// Soft matching: exact transport between the units of two representations, every unit of x sending
// 1 / dx and every unit of y taking 1 / dy, or a part `mass` of all that.
// Khosla & Williams, "Soft matching distance", UniReps 2023.
struct SoftMatchOptions {
  bool distance = false;  // sqrt(sum P |a - b|^2) of centred unit-norm columns; else sum P S / mass
  double mass = 1;        // in (0, 1]
};

// Scores and plans (count, dx, dy; dtype of x; may be null) of a batch x (..., n, dx),
// y (..., n, dy), and the numbers of constant units of all x, then of all y. A pair with a constant
// representation scores NaN and sends nothing.
void soft_match_pairs(const SoftMatchOptions& options, const ArrayRef& x, const ArrayRef& y,
                      double* score, void* plan, int64_t* constant_units, int threads);

// score (a x b) of all pairs, or of `a` against itself if `b` is empty.
template <class T>
void soft_match_scores(const SoftMatchOptions& options, const UnitItems<T>& a,
                       const UnitItems<T>& b, int64_t rows, double* score, int threads);

}  // namespace likewise

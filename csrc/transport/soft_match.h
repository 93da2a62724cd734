#pragma once

#include <cstdint>

#include "core/counts.h"
#include "core/view.h"

namespace likewise {

// Soft matching: exact transport between the units of two representations, every unit of x sending
// 1 / dx and every unit of y taking 1 / dy, or a part `mass` of all that.
// Khosla & Williams, "Soft matching distance", UniReps 2023.
struct SoftMatchOptions {
  bool distance = false;  // sqrt(sum P |a - b|^2) of centred unit-norm columns; else sum P S / mass
  double mass = 1;        // in (0, 1]
};

// scores (a x b) of all pairs of two lists; an empty b stands for a. Constant units are counted. A
// pair with a constant representation scores NaN and sends nothing.
void soft_match_scores(const Arrays& a, const Arrays& b, const SoftMatchOptions& options,
                       int threads, double* scores, const Counts& counts);

// The same of x[k] with y[k] for all items of two batches (..., n, dx) and (..., n, dy), and plans
// (count, dx, dy; dtype of x; may be null).
void soft_match_pairs(const ArrayRef& x, const ArrayRef& y, const SoftMatchOptions& options,
                      int threads, double* scores, const Counts& counts, void* plan);

// The same (k) of x with y, its rows in each of k orders of them.
void soft_match_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                          const SoftMatchOptions& options, int threads, double* scores);

}  // namespace likewise

#pragma once

#include <cstdint>
#include <vector>

#include "assignment/match.h"
#include "core/cuda/context.h"
#include "core/cuda/matrix.h"

namespace likewise::cuda {

// As likewise::match_pairs, of `count` pairs x (count, rows, dx) and y (count, rows, dy), all
// contiguous. dx and dy of a permutation are at most kMostAssigned. constant_units of all x, then
// of all y.
struct UnitShapes {
  int64_t count, rows, dx, dy;
};
template <class T>
void match_pairs(const Context& context, Matching matching, const UnitShapes& shapes, const T* x,
                 const T* y, double* score, int64_t* assignment, int64_t* constant_units);

// Scores of all pairs, row-major. `b` is ignored with `symmetric`, which compares a with itself.
// constant_units of all items of a, then of b.
template <class T>
void match_scores(const Context& context, Matching matching, const std::vector<Matrix<T>>& a,
                  const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric, double* scores,
                  int64_t* constant_units);

}  // namespace likewise::cuda

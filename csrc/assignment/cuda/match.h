#pragma once

#include <cstdint>

#include "assignment/match.h"
#include "core/cuda/context.h"

namespace likewise::cuda {

// As likewise::match_units, of `count` pairs x (count, rows, dx) and y (count, rows, dy), all
// contiguous. dx and dy of a permutation are at most kMostAssigned.
struct UnitShapes {
  int64_t count, rows, dx, dy;
};
template <class T>
void match_units(const Context& context, Matching matching, const UnitShapes& shapes, const T* x,
                 const T* y, double* score, int64_t* assignment, int64_t* constant_units);

}  // namespace likewise::cuda

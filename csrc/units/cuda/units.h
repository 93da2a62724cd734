#pragma once

#include <cstdint>

#include "assignment/cuda/match.h"
#include "core/cuda/context.h"

namespace likewise::cuda {

// out (count, dx, dy): correlations of the units of `count` pairs x (count, rows, dx) and y (count,
// rows, dy), all contiguous; constant_units of all x, then of all y.
void unit_correlations(const Context& context, const UnitShapes& shapes, const double* x,
                       const double* y, double* out, int64_t* constant_units);

}  // namespace likewise::cuda

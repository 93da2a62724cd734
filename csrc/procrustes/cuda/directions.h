#pragma once

#include <cstdint>

#include "core/cuda/centred.h"
#include "core/cuda/context.h"

// The directions of centred items (count, rows, cols), as procrustes/directions.h has them, in
// temporary memory. A direction is a row, width = min(rows, cols) of them in no order; those that
// do not exist are rows of zeros.

namespace likewise::cuda {

// What is found of every item.
struct DirectionFacts {
  int64_t *ranks, *dropped;
};

struct ItemDirections {
  double* left;    // (count, width, rows), orthonormal
  double* right;   // (count, width, cols)
  double* values;  // (count, width): singular values of the columns scaled to unit norm, or 0
  double* norms;   // (count, cols): what columns had before, 0 where they may be rounding
  int64_t width;
};

// Of the samples x, of which centre() has made `centred`; where nothing exists all units come to
// count as constant.
ItemDirections existing_directions(const Context& context, const double* x,
                                   const Centred<double>& centred, int64_t count, int64_t rows,
                                   int64_t cols, bool center, const DirectionFacts& facts);

// The same space along the principal axes of the centred `data`, of columns of any size. Values of
// 0 are of directions that do not exist or are far smaller than the largest.
struct PrincipalAxes {
  double* axes;    // (count, width, width): what directions become these, orthonormal
  double* values;  // (count, width)
  double* right;   // (count, width, cols)
};
PrincipalAxes principal_axes(const Context& context, const ItemDirections& directions,
                             const double* data, int64_t count, int64_t rows, int64_t cols);

// out (count, width, rows) = the directions along these axes, times weights (count, width); the
// axes are overwritten.
void turn_directions(const Context& context, const ItemDirections& directions,
                     const PrincipalAxes& axes, const double* weights, int64_t count, int64_t rows,
                     double* out);

}  // namespace likewise::cuda

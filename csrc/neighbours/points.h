#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "neighbours/neighbours.h"

// The samples of a representation as points in double. Of two of them, half the squared distance is
// what neighbours are found by: 1 - cosine, or half the squared distance of the samples.

namespace likewise {

struct Points {
  int64_t count = 0, width = 0;
  std::vector<double> rows;    // count x width
  std::vector<double> centre;  // width: near all of them, for products; empty: the origin
  // Cosines: how far rounding may have moved a point (1: it is a sample without direction, at
  // cosine 0 from all others). Empty: differences of points are exact.
  std::vector<double> moved;
  int64_t constant_units = 0;
  bool finite = true;

  bool without_direction(int64_t i) const { return !moved.empty() && moved[i] == 1; }
};

// For cosines: centred rows of unit norm. For distances: the samples themselves (a difference of
// them is not rounded, so that equal distances stay equal) in units of a power of two, in which
// squares neither overflow nor vanish; constant units are zero.
template <class T>
Points points_of(const MatrixRef<const T>& x, const NeighbourOptions& options);

}  // namespace likewise

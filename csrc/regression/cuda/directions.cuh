#pragma once

#include <cmath>
#include <cstdint>

// Directions of a training set as keep_directions leaves them: of positive value, or of a value <=
// 0 whose size is rounding. These count where the penalty is at least `weak_from` (see
// regression/ridge_source.h).

namespace likewise::cuda {

// 1 / (eigenvalue + penalty), 0 where the direction is absent.
__device__ inline double shrinkage(double value, double penalty, double weak_from) {
  return value <= 0 && penalty < weak_from ? 0 : 1 / (fabs(value) + penalty);
}

}  // namespace likewise::cuda

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

// Moments that are no more than their own rounding become 0: predictions made of them would be
// signs of rounding.
__device__ inline void drop_rounding(const double* values, double* moments, int64_t size,
                                     int64_t step, double squares, double trained) {
  double largest = 0;
  for (int64_t k = 0; k < size; ++k) largest = values[k] > largest ? values[k] : largest;
  const double share = trained * 0x1p-52, least = share * share * largest * squares;
  for (int64_t k = 0; k < size; ++k) {
    double& along = moments[k * step];
    if (along * along <= least) along = 0;
  }
}

// What no direction explains of a target (its squares on the training set), whose `moments` are
// `step` apart: exactly zero where the model can fit any target, and never below.
__device__ inline double unexplained_squares(const double* values, const double* moments,
                                             int64_t size, int64_t step, double squares,
                                             double freedom) {
  for (int64_t k = 0; k < size; ++k) {
    if (values[k] <= 0) continue;
    const double along = moments[k * step];
    squares -= along * along / values[k];
  }
  return freedom <= 0 || squares < 0 ? 0 : squares;
}

// |y - X c|^2 / (degrees of freedom)^2 on the training set. `freedom` is without the directions of
// positive value.
__device__ inline double cross_validation(const double* values, const double* moments, int64_t size,
                                          int64_t step, double penalty, double weak_from,
                                          double freedom, double unexplained) {
  double residual = unexplained;
  for (int64_t k = 0; k < size; ++k) {
    const double value = values[k], along = moments[k * step];
    const double shrunk = shrinkage(value, penalty, weak_from), kept = penalty * shrunk;
    if (value > 0) {
      freedom += kept;
      residual += kept * kept * (along * along / value);
    } else if (shrunk > 0) {  // the residual falls by (w + 2 a) / (w + a)^2 of the squares
      freedom += value * shrunk;
      residual -= (2 * penalty - value) * shrunk * shrunk * (along * along);
    }
  }
  return (residual > 0 ? residual : 0) / (freedom * freedom);
}

}  // namespace likewise::cuda

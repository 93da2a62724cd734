#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "maps/cuda/maps_kernels.h"

// Linear maps y = (x - mean of x) W + mean of y from x (rows x dx) to y (rows x dy), W being
// `weights` (dx x dy); see python/likewise/maps.py.

namespace likewise::cuda {

struct MapShape {
  int64_t rows, dx, dy;
};

// Of centred data the orthogonal W with the best fit, and with `scale` its best multiple.
void fit_rotation(const Context& context, const double* x, const double* y, const MapShape& shape,
                  bool scale, double* weights);

// From shares (dx x dy) of the units of x in those of y, and the deviations of both.
void fit_plan(const Context& context, const double* plan, const double* deviation_x,
              const double* deviation_y, const MapShape& shape, double* weights);

// From coefficients (dy x dx) between units of variance 1, and the deviations of both.
void scale_coefficients(const Context& context, const double* coefficients,
                        const double* deviation_x, const double* deviation_y, const MapShape& shape,
                        double* weights);

// Ridge regression, for each target the penalty (dy) of these with the smallest generalised
// cross-validation; `relative` ones are in units of the mean of the nonzero eigenvalues of X'X.
void fit_ridge(const Context& context, const double* x, const double* y, const MapShape& shape,
               const std::vector<double>& alphas, bool relative, double* weights, double* alpha);

// coef (dy x dx) = W' and intercept (dy) = mean_y - mean_x W.
void describe_map(const Context& context, const double* weights, const double* mean_x,
                  const double* mean_y, const MapShape& shape, double* coef, double* intercept);

// out (rows x dy), in double until the end.
template <class T>
void predict(const Context& context, const T* x, const double* coef, const double* mean_x,
             const double* mean_y, const MapShape& shape, T* out);

// out (2): means over columns of correlation and determination.
template <class T>
void score_map(const Context& context, const T* predictions, const T* targets, int64_t rows,
               int64_t cols, double* out);

// out (2): <plan, correlations of the units of x and y> and the sum of the plan, both over dy.
void score_plan(const Context& context, const double* plan, const double* x, const double* y,
                const MapShape& shape, double* out);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "regression/ridge.h"

// Cross-validated ridge regression (see regression/ridge.h), in double. Targets are not scaled.

namespace likewise::cuda {

// Predictions of y[k] from x[k] for `count` pairs.
void ridge_pairs(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                 int64_t count, const RidgeOptions& options, const RidgeFindings& out);

// Scores (a x b) of predictions of the items of b, or of a itself (`symmetric`), from those of a.
// Constant units are those of a, then of b.
void ridge_scores(const Context& context, const std::vector<Matrix<double>>& a,
                  const std::vector<Matrix<double>>& b, bool symmetric, const RidgeOptions& options,
                  double* scores, int64_t* constant_units, int64_t* choices);

// Errors (count, alphas, y.cols) on what is left out, mean over folds, and the penalties (count,
// alphas) in units of the data. constant_units: of x.
void ridge_errors(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                  int64_t count, const RidgeOptions& options, double* errors, double* alphas,
                  int64_t* constant_units);

}  // namespace likewise::cuda

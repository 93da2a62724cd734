#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"

// Lasso paths (see regression/lasso.h) between units of mean 0 and norm 1, in double.

namespace likewise::cuda {

struct LassoOptions {
  std::vector<int32_t> order;  // of the rows by their folds, which are as equal as can be
  int64_t folds;               // 0 without cross-validation; then there is no order
  std::vector<double> penalties;
  double tolerance;  // duality gap that ends the work, as a share of 1/2 |y|^2
};

// Arrays of every pair, penalties and targets, in device memory. Fitted on all rows:
struct LassoFindings {
  double* score;               // without targets: mean of the correlations
  double* alphas;              // without targets: the penalties
  double *correlation, *loss;  // held out, mean over folds, with cross-validation
  double* used;                // how many coefficients are not zero
  double* coefficients;        // with the units of x as last axis
  double *objective, *gap;
  int64_t* constant_units;  // without penalties and targets: of all x, then of all y
  // How many duality gaps stayed above the tolerance, and the bits of the largest: of the fits of
  // all rows of every pair, then of those of every pair and fold.
  int64_t* missed;
};

// Predictions of y[k] from x[k] for `count` pairs of this many rows.
void lasso_paths(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                 int64_t count, int64_t rows, const LassoOptions& options,
                 const LassoFindings& out);

}  // namespace likewise::cuda

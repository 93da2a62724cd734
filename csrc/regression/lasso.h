#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"

// The lasso of many targets on shared units, from moments: for every target y and penalty a
//   min over w of 1/2 |y - Xw|^2 * scale + a |w|_1,
// by coordinate descent on a working set of units that only grows as the penalty falls. The Gram
// matrix of the units is computed once for all targets.

namespace likewise {

struct LassoOptions {
  double scale = 1;               // of squares: 1 / number of samples, or 1 for unit columns
  double tolerance = 1e-10;       // duality gap that ends the work, as a share of 1/2 |y|^2 * scale
  std::vector<double> penalties;  // positive, in any order
};

// Arrays penalties x targets; coefficients has units as its last axis.
struct LassoPath {
  double* coefficients;
  double* objective;
  double* gap;          // certificate: the objective is at most this far above its minimum
  double* loss;         // 1/2 |y - Xw|^2 * scale
  double* correlation;  // Pearson's of Xw and y, of centred data; 0 if either is 0
};

// x (n x units) and y (n x targets) of double with contiguous rows, centred if an intercept is
// wanted. A target that is not finite, or meets a unit that is not, gets NaN. Returns how many gaps
// stayed above the tolerance.
int64_t lasso_path(const ArrayRef& x, const ArrayRef& y, const LassoOptions& options,
                   const LassoPath& out, int threads);

// The same of representations as they are, whose units are centred and scaled to norm 1.
struct LassoPathsOptions {
  std::vector<int32_t> order;  // of the rows by their folds, which are as equal as can be
  int64_t folds;               // 0 without cross-validation; then there is no order
  std::vector<double> penalties;
  double tolerance;  // duality gap that ends the work, as a share of 1/2 |y|^2
};

// Arrays of every pair, penalties and targets. Fitted on all rows:
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

// Predictions of y[k] from x[k] for all items of two batches of double (equal batch axes).
void lasso_paths(const ArrayRef& x, const ArrayRef& y, const LassoPathsOptions& options,
                 int threads, const LassoFindings& out);

}  // namespace likewise

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

}  // namespace likewise

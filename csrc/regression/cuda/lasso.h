#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "regression/lasso.h"

// Lasso paths (see regression/lasso.h) between units of mean 0 and norm 1, in double.

namespace likewise::cuda {

// Predictions of y[k] from x[k] for `count` pairs of this many rows.
void lasso_paths(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                 int64_t count, int64_t rows, const LassoPathsOptions& options,
                 const LassoFindings& out);

}  // namespace likewise::cuda

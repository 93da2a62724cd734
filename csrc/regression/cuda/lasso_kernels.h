#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "regression/cuda/folds.h"

// The lasso from moments, and its predictions; see regression/lasso.h. There is one model per item
// or, for cross-validation, per item and fold, folds of an item one behind the other.

namespace likewise::cuda {

constexpr int64_t kMostModels = 65535;  // of one call below

// Units of the two sides of every item, and how many of them are constant.
struct Widths {
  int64_t units, targets;
  const int64_t *constant_units, *constant_targets;  // (items)

  // One side of the item has no variance: its scores are NaN.
  __device__ bool nothing_varies(int64_t item) const {
    return constant_units[item] == units || constant_targets[item] == targets;
  }
};

// min 1/2 |y - Xw|^2 + penalty |w|_1 for targets of every model.
struct LassoProblem {
  int64_t models, count;          // of targets that are solved
  int64_t units, targets;         // targets of which the moments are there
  const double* gram;             // (models, units, units): X'X
  const double *cross, *squares;  // (models, targets, units): Y'X, and (models, targets)
  const double* penalties;        // largest first
  const int32_t* places;          // of the penalties in what comes out
  int64_t penalty_count;
  double tolerance;  // of the duality gap, as a share of |y|^2 / 2
};

// Memory of the solver, for models * count targets.
struct LassoWork {
  double* numbers;  // (., 4, units)
  int32_t* units;   // (., 2, units)
};

// What comes out, penalties in their places. Arrays (models, penalties, step) of which the first
// `count` along the last axis are filled, coefficients with the units as one axis more. All but
// coefficients and gaps are null where nobody asks.
struct LassoFits {
  double *coefficients, *objective, *gap, *loss, *correlation, *used;
  int64_t step;
  Widths widths;
};

// Adds to missed[model, 0] how many duality gaps stayed above the tolerance, and raises
// missed[model, 1] to the bits of the largest.
void solve_lasso(const LassoProblem& problem, const LassoWork& work, const LassoFits& fits,
                 unsigned long long* missed, cudaStream_t stream);

// squares (count, cols): of the columns of matrices (rows x cols).
void column_squares(const double* x, int64_t count, int64_t rows, int64_t cols, double* squares,
                    cudaStream_t stream);

// Brings the columns that stay to norm 1 and those that are left out to the same units times the
// root of the number of rows that stay, the deviation being 1 then; columns of zeros become zeros.
void scale_folds(const FoldParts& parts, int64_t items, const FoldShape& shape, int64_t cols,
                 cudaStream_t stream);

// Predictions (items, folds, most_left_out, penalties, count) of targets [first, first + count).
struct HeldOut {
  FoldShape shape;
  int64_t items, penalties, first, count;
  const double *predictions, *left_out;  // (items, folds, most_left_out, widths.targets)
  Widths widths;
};

// Mean over folds of the correlations with what was left out, and of half the mean squared errors,
// (items, penalties, widths.targets). Correlations are 0 where either is constant.
void score_held_out(const HeldOut& held, double* correlation, double* loss, cudaStream_t stream);

}  // namespace likewise::cuda

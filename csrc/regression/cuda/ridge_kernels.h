#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "regression/cuda/choice.h"

// Ridge regression in the basis of the training set's eigenvectors; see regression/ridge.h. There
// is one model per item and fold, folds of an item one behind the other.

namespace likewise::cuda {

// Penalties (count, alphas) of items of unit norm, and what they are in units of the data: alphas
// as given or, `relative`, times the mean of the at most min(rows - 1, cols) nonzero eigenvalues.
struct Penalties {
  const double* given;  // (alphas)
  const double* norms;  // (count): of the items in their own units
  const double* means;  // (count, cols): of their columns, or null where variances are about 0
  const int64_t* constant_units;
  int64_t count, alphas, rows, cols;
  bool relative;
  double *penalties, *in_units;
};
void scale_penalties(const Penalties& penalties, cudaStream_t stream);

// Eigenvalues (models, size), or their `roots`, which are squared: those that rounding may have
// made change their sign (or are 0), the others are counted. weak_from (models): the least penalty
// with which the former count, too. Not so those of -INFINITY, which cannot be: roots that are
// rounding, and the smallest values that are more than the rows that stay allow.
struct TrainedValues {
  double* values;
  int64_t models, size, cols;
  FoldShape shape;
  bool intercept, roots;
  int64_t* ranks;
  double* weak_from;
};
void keep_directions(const TrainedValues& directions, cudaStream_t stream);

// squares (models, size): of what is left out (models, held_rows, size) about the mean of each
// fold.
void squares_of_held(const double* held, int64_t models, const FoldShape& shape, int64_t size,
                     double* squares, cudaStream_t stream);

// coefficients (as moments), for these penalties (models, per_model, targets) or, where they are
// null, for penalty `only` of every item. terms (as penalties; or null): the squares of the
// predictions of what is left out, summed as if directions were orthogonal there.
void shrink(const Fit& fit, const double* chosen, int64_t only, double* coefficients, double* terms,
            cudaStream_t stream);

// Rows of what is left out, and a last one: how far its means are from those of what stays.
inline int64_t held_rows(const FoldShape& shape) { return shape.most_left_out() + 1; }

// Predictions (models, held_rows, targets) against what was left out.
struct Held {
  FoldShape shape;
  int64_t items, targets;
  const double *predictions, *left_out;
  const double* squares;  // (models, targets)
  const double* terms;    // (models, targets): of shrink; null where nobody correlates
};
// Correlation and determination (models, targets); all of an item without variance is NaN, with
// choice.alpha.
void score_predictions(const Held& held, const Choice& choice, double* correlation,
                       double* determination, cudaStream_t stream);

// errors (items, targets), `step` apart per item: squared errors, mean over a fold, mean over
// folds.
void average_errors(const Held& held, double* errors, int64_t step, cudaStream_t stream);

// out (outer, inner): means over the middle axis.
void mean_over(const double* x, int64_t outer, int64_t length, int64_t inner, double* out,
               cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/context.h"
#include "regression/cuda/folds.h"

// The penalties of ridge regression that are chosen by generalised cross-validation; see
// regression/ridge.h.

namespace likewise::cuda {

// Models of sources, one per item and fold, and the penalties to choose from. What is to be known
// of them whatever the target is found once, by weigh_penalties.
struct Candidates {
  FoldShape shape;
  int64_t models, size, alphas;
  const double* values;                // (models, size): as keep_directions leaves them
  const int64_t* ranks;                // (models)
  const double* weak_from;             // (models)
  const double *penalties, *in_units;  // (models / folds, alphas)
  const double* trained = nullptr;     // (models): how many samples, where `shape` does not say

  // Of the squares of moments: what they add to the residuals of each penalty, and what they
  // explain.
  double* weights = nullptr;  // (models, alphas + 1, size)
  // Degrees of freedom with each penalty, and those that no direction takes.
  double* freedom = nullptr;  // (models, alphas + 1)
  double* largest = nullptr;  // (models): values
};

// Targets, `per_model` matrices of them for every model.
struct Fit {
  Candidates sources;
  int64_t per_model, targets;
  double* moments;              // (models, per_model, size, targets): of sources, in their basis
  const double* train_squares;  // (models, per_model, targets)
  const double* held_squares;   // (models, size): see squares_of_held

  int64_t batches() const { return sources.models * per_model; }
};

// `chosen` and `alpha` (models, per_model, targets) in either unit. counts (alphas) are raised by
// how often each was, but not for items without variance. All but `chosen` may be null, together.
struct Choice {
  double *chosen, *alpha;
  unsigned long long* counts;
  const int64_t *constant_x, *constant_y;  // (items)
  int64_t cols;                            // of the source
};

// Fills the last three of a copy, in temporary memory.
Candidates weigh_penalties(const Context& context, const Candidates& candidates);

// Makes those moments 0 that are rounding, and chooses for each target the penalty of the smallest
// generalised cross-validation. The residuals of all are one product of the weights of penalties
// and the squares of moments.
//
// Of 5 models of 512 directions, 512 targets and 13 penalties: 17 M products and sums, 11 MB of
// moments read twice and written once, 10 us, in four launches; one thread per target took 6656
// steps one after the other, with a division of 40 cycles or more each. Derived, not measured.
void choose_penalties(const Context& context, const Fit& fit, const Choice& choice);

// The kernels of these.
void fill_weights(const Candidates& candidates, cudaStream_t stream);
void square_moments(const Fit& fit, double* squares, cudaStream_t stream);
void pick_penalties(const Fit& fit, const double* residuals, const Choice& choice,
                    cudaStream_t stream);

}  // namespace likewise::cuda

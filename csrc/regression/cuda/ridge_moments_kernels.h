#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// Ridge regression of targets (count, cols) on one source, from sums over the samples of one
// training set and of the fold that it leaves out.

namespace likewise::cuda {

struct MomentsFit {
  const double* trained;  // number of samples
  const double* values;   // (size): eigenvalues of the source, as keep_directions leaves them
  const int64_t* rank;
  const double* weak_from;
  int64_t size, count, cols;
  double* moments;              // (count, size, cols): of the source, in its basis, with targets
  const double* train_squares;  // (count, cols), `step` apart per target
  int64_t step;
};

// Penalties as given, for data of which the sums are in this unit, or, with a trace, in units of
// the mean of the nonzero eigenvalues of the source's Gram matrix over all samples.
struct GivenPenalties {
  const double* given;
  int64_t count;
  const double *unit, *trace;
  const int64_t* constant_units;
  const int64_t* samples;
};

// Makes those moments 0 that are rounding; coefficients (count, size, cols) for the penalty of the
// smallest generalised cross-validation.
cudaError_t fit_moments(const MomentsFit& fit, const GivenPenalties& penalties,
                        double* coefficients, cudaStream_t stream);

// correlation[k] = mean over the columns of target k of the correlation of its prediction with it
// in the fold: against (count, size, cols) are moments with the fold, products the fold's `gram`
// matrix times the coefficients, squares (count, cols), `fit.step` apart.
cudaError_t correlate_moments(const MomentsFit& fit, const double* gram, const double* coefficients,
                              const double* against, const double* products, const double* squares,
                              double* correlation, cudaStream_t stream);

// scores (rows, cols): means of correlations (folds, rows, cols), NaN where the source or the
// target has no variance.
cudaError_t mean_of_folds(const double* correlations, int64_t folds, int64_t rows, int64_t cols,
                          const double* traces_x, const double* traces_y, double* scores,
                          cudaStream_t stream);

}  // namespace likewise::cuda

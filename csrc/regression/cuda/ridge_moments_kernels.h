#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// Ridge regression of targets (count, cols) on one source, from sums over the samples of one
// training set and of the fold that it leaves out.

namespace likewise::cuda {

// Penalties as given, for data of which the sums are in this unit, or, with a trace, in units of
// the mean of the nonzero eigenvalues of the source's Gram matrix over all samples.
struct GivenPenalties {
  const double* given;
  int64_t count, size;  // size: units of the source
  const double *unit, *trace;
  const int64_t* constant_units;
  const int64_t* samples;
};

// penalties (count): in units of the sums.
cudaError_t scale_given(const GivenPenalties& given, double* penalties, cudaStream_t stream);

// Of targets (count, cols) and a source with `size` units: correlation[k] = mean over the columns
// of target k of the correlation of its prediction with it in the fold: against (count, size, cols)
// are moments with the fold, products the fold's `gram` matrix times the coefficients, squares
// (count, cols) the targets'.
struct FoldMoments {
  int64_t size, count, cols;
  const double *gram, *coefficients, *against, *products, *squares;
};
cudaError_t correlate_moments(const FoldMoments& fold, double* correlation, cudaStream_t stream);

// scores (rows, cols): means of correlations (folds, rows, cols), NaN where the source or the
// target has no variance.
cudaError_t mean_of_folds(const double* correlations, int64_t folds, int64_t rows, int64_t cols,
                          const double* traces_x, const double* traces_y, double* scores,
                          cudaStream_t stream);

}  // namespace likewise::cuda

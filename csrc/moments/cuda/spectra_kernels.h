#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Scales Gram matrices (count, cols, cols) to units of norm 1, those of 0 staying 0; norms (count,
// cols): what units had.
cudaError_t unit_grams(double* grams, int64_t count, int64_t cols, double* norms,
                       cudaStream_t stream);

// Of the eigenvalues (count, cols) of such matrices, in any order: weights 1 / sqrt(value), 0 of
// those that rounding of the sums may have made, up to eps max(*samples, cols) of the largest.
struct ExistingSpectra {
  const double *values, *norms, *samples;
  double* weights;
  int64_t* ranks;    // (count): how many exist
  int64_t* dropped;  // (count): how many more there could be
  int64_t count, cols;
  bool center;
};
cudaError_t find_existing(const ExistingSpectra& spectra, cudaStream_t stream);

// Eigenvalues (count, cols) along the principal axes of items, in any order, of which as many as
// `ranks` say exist and the others are 0 up to rounding.
struct Eigenvalues {
  const double* values;
  int64_t* ranks;
  int64_t count, cols;
};

// weights (count, cols): sqrt(value / (value + ridge)) or, with a share of the variance, 1 of the
// largest values that have this share of all, which then are the ranks, and 0 of the others;
// `regularization`: ridge in units of their sum over the units that vary.
struct SpectrumWhitening {
  double regularization, variance;
  const int64_t* constant_units;  // (count)
  double* weights;
};
cudaError_t whiten_spectra(const Eigenvalues& spectra, const SpectrumWhitening& whitening,
                           cudaStream_t stream);

// weights (count, cols): alpha s + 1 - alpha of the singular values s = unit sqrt(value), scaled to
// unit norm of what exists. units (count): of the data.
cudaError_t reshape_spectra(const Eigenvalues& spectra, double alpha, const double* units,
                            double* weights, cudaStream_t stream);

// norms (count): square roots of these traces, 0 where rounding made them negative; lengths: those
// times the units.
cudaError_t norms_of(const double* traces, const double* units, int64_t count, double* norms,
                     double* lengths, cudaStream_t stream);

// similarities[k] /= norm_x * norms_y[k], at most 1; null norms are 1.
cudaError_t scale_similarities(double* similarities, int64_t count, const double* norm_x,
                               const double* norms_y, cudaStream_t stream);

}  // namespace likewise::cuda

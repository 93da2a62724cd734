#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Eigenvalues of Gram matrices (count, cols), in any order. Those that rounding of the sums may
// have made have no weight: up to eps max(*samples, cols) of the largest.
struct Eigenvalues {
  const double* values;
  const double* samples;
  int64_t count, cols;
};

// weights (count, cols): 1 / sqrt(value + ridge) of the largest values that have this share of all,
// 0 of the others; `regularization`: ridge in units of their sum over the units that vary. ranks
// (count): how many.
struct SpectrumWhitening {
  double regularization, variance;
  const int64_t* constant_units;  // (count)
  double* weights;
  int64_t* ranks;
};
cudaError_t whiten_spectra(const Eigenvalues& spectra, const SpectrumWhitening& whitening,
                           cudaStream_t stream);

// weights (count, cols) that make singular values s = unit sqrt(value) those of alpha s + 1 -
// alpha, scaled to unit norm. units (count): of the data.
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

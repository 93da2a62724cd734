#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/context.h"

// Dissimilarities of samples with noise of a known precision.

namespace likewise::cuda {

// Both of representations one behind the other. precision (d x d, symmetric); what is wrong with it
// is counted in faults[0] (elements that differ from the transpose, as np.allclose with rtol 1e-6
// tells) and faults[1] (more than 0: not positive definite), which are 0 before.

// out (count x rows (rows - 1) / 2): Mahalanobis distances of the rows of x (rows x cols).
template <class T>
void mahalanobis_rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
                      const double* precision, int64_t* faults, T* out);

// The same, crossnobis distances for x (count x repeats x rows x cols); null for no precision.
template <class T>
void crossnobis_rdms(const Context& context, const T* x, int64_t count, int64_t repeats,
                     int64_t rows, int64_t cols, const double* precision, int64_t* faults, T* out);

// *different += elements of a (d x d) that differ from those of its transpose.
cudaError_t count_asymmetric(const double* a, int64_t d, int64_t* different, cudaStream_t stream);

// out = x minus the first sample of its item (rows x cols), times the unit of `repeats` items (null
// for 1).
template <class T>
cudaError_t subtract_first(const T* x, int64_t count, int64_t rows, int64_t cols,
                           const double* units, int64_t repeats, double* out, cudaStream_t stream);

// units (count): powers of two that bring the largest of spreads (count x size) near 1; 1 for zeros
// and what is not finite.
cudaError_t units_of_spreads(const double* spreads, int64_t count, int64_t size, double* units,
                             cudaStream_t stream);

// out (count x size): means of x (count x repeats x size) over repeats.
cudaError_t mean_of_repeats(const double* x, int64_t count, int64_t repeats, int64_t size,
                            double* out, cudaStream_t stream);

// Of squared distances within repeats (count x repeats x size) and of their mean (count x size):
// out (count x size) = mean over pairs of different repeats, of samples without their units
// (count).
template <class T>
cudaError_t across_repeats(const double* within, const double* of_mean, const double* units,
                           int64_t count, int64_t repeats, int64_t size, T* out,
                           cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// What likewise.UnitStatistics has of `count` representations (rows x cols): all (count x cols) but
// spread (count).
template <class T>
struct UnitStatistics {
  T *mean, *deviation, *active, *spectrum, *spread;
};

// All but spectrum and spread; `negated` (count x cols): the means with the other sign.
template <class T>
cudaError_t unit_moments(const T* x, int64_t count, int64_t rows, int64_t cols,
                         const UnitStatistics<T>& out, double* negated, cudaStream_t stream);

// Spectrum and spread, from what sort_vectors makes of `negated`. At most 65535 items.
template <class T>
cudaError_t mean_spectra(const double* negated, const int32_t* order, int64_t count, int64_t cols,
                         const UnitStatistics<T>& out, cudaStream_t stream);

}  // namespace likewise::cuda

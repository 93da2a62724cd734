#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Correlations that rounding has left a little outside [-1, 1] go back there; NaN stays.
void limit_correlations(double* correlations, int64_t size, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Correlations that rounding has left a little outside [-1, 1] go back there; NaN stays.
cudaError_t limit_correlations(double* correlations, int64_t size, cudaStream_t stream);

// Correlations of `units` units with each other become weights of edges: absolute values, at most
// 1, and 0 from a unit to itself or where rounding of the sums over `samples` may have made them.
cudaError_t edge_weights(double* correlations, int64_t units, int64_t samples, cudaStream_t stream);

}  // namespace likewise::cuda

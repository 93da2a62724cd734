#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// out[i, j, k] = in[i, order[j], k] of arrays (outer x units x inner), NaN where `order` (units) is
// negative.
template <class T>
cudaError_t take_units(const T* in, int64_t outer, int64_t units, int64_t inner,
                       const int64_t* order, T* out, cudaStream_t stream);

// out = (1 - share) a + share b.
template <class T>
cudaError_t weighted_mean(const T* a, const T* b, int64_t size, double share, T* out,
                          cudaStream_t stream);

}  // namespace likewise::cuda

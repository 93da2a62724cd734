#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// total += counts.
cudaError_t add_counts(const int64_t* counts, int64_t size, int64_t* total, cudaStream_t stream);

}  // namespace likewise::cuda

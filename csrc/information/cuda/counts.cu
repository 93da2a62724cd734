// Sums of histograms: every count is read once, bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "information/cuda/counts.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    add_kernel(const int64_t* __restrict__ counts, int64_t size, int64_t* __restrict__ total) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    total[k] += counts[k];
  }
}

}  // namespace

cudaError_t add_counts(const int64_t* counts, int64_t size, int64_t* total, cudaStream_t stream) {
  return launch(add_kernel, blocks_for(size), threads_for(size), 0, stream, counts, size, total);
}

}  // namespace likewise::cuda

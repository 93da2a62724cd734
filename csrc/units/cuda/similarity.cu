// What becomes of products of units: every element is read and written once, bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "units/cuda/similarity.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    limit_kernel(double* __restrict__ values, int64_t size) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double value = values[k];
    values[k] = value > 1 ? 1 : value < -1 ? -1 : value;
  }
}

}  // namespace

void limit_correlations(double* correlations, int64_t size, cudaStream_t stream) {
  launch(limit_kernel, blocks_for(size), threads_for(size), 0, stream, correlations, size);
}

}  // namespace likewise::cuda

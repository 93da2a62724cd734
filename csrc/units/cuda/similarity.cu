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

__global__ void __launch_bounds__(kMostThreads)
    weight_kernel(double* __restrict__ values, int64_t units, double rounding) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, size = units * units;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double weight = fabs(values[k]);
    const bool none = k % (units + 1) == 0 || weight <= rounding;
    values[k] = none ? 0 : weight > 1 ? 1 : weight;
  }
}

}  // namespace

cudaError_t limit_correlations(double* correlations, int64_t size, cudaStream_t stream) {
  return launch(limit_kernel, blocks_for(size), threads_for(size), 0, stream, correlations, size);
}

cudaError_t edge_weights(double* correlations, int64_t units, int64_t samples,
                         cudaStream_t stream) {
  const int64_t size = units * units;
  return launch(weight_kernel, blocks_for(size), threads_for(size), 0, stream, correlations, units,
                double(samples) * 0x1p-52);
}

}  // namespace likewise::cuda

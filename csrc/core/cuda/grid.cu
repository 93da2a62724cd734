// Every score is read and written once at most: a launch.

#include "core/cuda/grid.h"
#include "core/cuda/kernel.cuh"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    mirror_kernel(double* __restrict__ scores, int64_t count) {
  const int64_t i = blockIdx.x;
  for (int64_t j = threadIdx.x; j < i; j += blockDim.x) {
    scores[i * count + j] = scores[j * count + i];
  }
}

}  // namespace

void mirror_upper(double* scores, int64_t count, cudaStream_t stream) {
  launch(mirror_kernel, dim3(unsigned(count)), threads_for(count), 0, stream, scores, count);
}

}  // namespace likewise::cuda

// Every element is read and written once: bytes over bandwidth, where rows are 32 bytes or longer.

#include "core/cuda/gather.h"
#include "core/cuda/kernel.cuh"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    gather_kernel(const T* __restrict__ x, int64_t cols, const int32_t* __restrict__ rows,
                  int64_t size, T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const int64_t row = k / cols;
    out[k] = x[rows[row] * cols + (k - row * cols)];
  }
}

}  // namespace

template <class T>
cudaError_t gather_rows(const T* x, int64_t cols, const int32_t* rows, int64_t count, T* out,
                        cudaStream_t stream) {
  const int64_t size = count * cols;
  if (size == 0) return cudaSuccess;
  return launch(gather_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, cols, rows,
                size, out);
}
template cudaError_t gather_rows<float>(const float*, int64_t, const int32_t*, int64_t, float*,
                                        cudaStream_t);
template cudaError_t gather_rows<double>(const double*, int64_t, const int32_t*, int64_t, double*,
                                         cudaStream_t);

}  // namespace likewise::cuda

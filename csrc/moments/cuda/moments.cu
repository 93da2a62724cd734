// Augmented data: every element is read once and written once in double, and read once more by the
// product that follows: bytes over bandwidth, beside 2 n w^2 flops of that product.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "moments/cuda/moments_kernels.h"

namespace likewise::cuda {
namespace {

// A warp per sample.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    augment_kernel(const T* __restrict__ x, int64_t cols, int64_t stride, int64_t count,
                   Frame frame, int64_t number, int64_t start, int64_t width,
                   double* __restrict__ out) {
  const double scale = 1 / *frame.unit;
  const int lane = int(threadIdx.x) & 31;
  const int64_t warps = int64_t(gridDim.x) * (blockDim.x >> 5);
  int64_t row = int64_t(blockIdx.x) * (blockDim.x >> 5) + (threadIdx.x >> 5);
  for (; row < count; row += warps) {
    double* const to = out + row * width;
    double squares = 0;
    for (int64_t j = lane; j < cols; j += 32) {
      const double value = (double(x[row * stride + j]) - frame.shift[j]) * scale;
      to[start + j] = value;
      squares += value * value;
    }
    squares = warp_sum(squares);
    if (lane > 0) continue;
    to[0] = 1;
    to[1 + number] = squares;
  }
}

}  // namespace

template <class T>
void augment(const T* x, int64_t cols, const StridedRows& rows, int64_t count, const Frame& frame,
             int64_t number, int64_t start, int64_t width, double* out, cudaStream_t stream) {
  if (count == 0) return;
  launch(augment_kernel<T>, blocks_for(32 * count), threads_for(32 * count), 0, stream,
         x + rows.first * cols, cols, rows.step * cols, count, frame, number, start, width, out);
}

LIKEWISE_INSTANTIATE(augment);

}  // namespace likewise::cuda

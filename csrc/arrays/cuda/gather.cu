// Every element is read and written once: bytes over bandwidth, where rows are 32 bytes or longer.

#include "arrays/cuda/gather.h"
#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 128;  // side by side; the others follow

template <class T>
__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill
    gather_kernel(const T* __restrict__ x, int64_t items, int64_t rows, int64_t cols,
                  const int32_t* __restrict__ order, int64_t size, T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t item = blockIdx.y; item < items; item += gridDim.y) {
    const T* const from = x + item * rows * cols;
    T* const to = out + item * size;
    for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
      const int64_t row = k / cols;
      to[k] = from[order[row] * cols + (k - row * cols)];
    }
  }
}

}  // namespace

template <class T>
void gather_rows(const Batch<T>& x, int64_t rows, const int32_t* order, int64_t count, T* out,
                 cudaStream_t stream) {
  const int64_t size = count * x.cols;
  if (x.count * size == 0) return;
  const dim3 grid(blocks_for(size).x, unsigned(x.count < kMostItems ? x.count : kMostItems));
  launch(gather_kernel<T>, grid, threads_for(size), 0, stream, x.data, x.count, rows, x.cols, order,
         size, out);
}
LIKEWISE_INSTANTIATE(gather_rows);

}  // namespace likewise::cuda

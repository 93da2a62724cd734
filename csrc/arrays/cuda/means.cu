// Means over positions: every element is read once, bytes over bandwidth. Maps of less than 32
// positions leave lanes of their warps without work.

#include "arrays/cuda/means.h"
#include "core/cuda/columns.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    row_kernel(const T* __restrict__ x, int64_t length, T* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const T* const row = x + blockIdx.x * length;
  double sum = 0;
  for (int64_t k = threadIdx.x; k < length; k += blockDim.x) sum += double(row[k]);
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[blockIdx.x] = T(sum / double(length));
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    column_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, T* __restrict__ out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = size_t(blockIdx.y) * rows * cols + (inside ? column : 0);
  double sum = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) sum += double(x[begin + i * cols]);
  sum = over_stripes<Sum>(sum, shared);
  if (inside && threadIdx.y == 0) out[blockIdx.y * cols + column] = T(sum / double(rows));
}

}  // namespace

template <class T>
void row_means(const T* x, int64_t count, int64_t length, T* out, cudaStream_t stream) {
  launch(row_kernel<T>, dim3(unsigned(count)), threads_for(length), 0, stream, x, length, out);
}

template <class T>
void column_means(const T* x, int64_t count, int64_t rows, int64_t cols, T* out,
                  cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    launch(column_kernel<T>, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0, stream,
           x + first * rows * cols, rows, cols, out + first * cols);
  }
}

LIKEWISE_INSTANTIATE(row_means);
LIKEWISE_INSTANTIATE(column_means);

}  // namespace likewise::cuda

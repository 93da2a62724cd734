// Batches are read once more for their deviations; sums are read and written where a unit grows:
// bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "core/instantiate.h"
#include "moments/cuda/frames.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 1024;  // of a launch; blocks take several

__device__ double power_above(double size) {
  if (size == 0) return kLeastUnit;
  if (!(size < INFINITY)) return 1;  // the sums will not be finite in any unit
  const int exponent = ilogb(size) + 1;
  return ldexp(1.0, exponent > kMostExponent    ? kMostExponent
                    : exponent < -kMostExponent ? -kMostExponent
                                                : exponent);
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    mean_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, double* __restrict__ out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const int64_t begin = inside ? column : 0;
  const double first = double(x[begin]), share = 1 / double(rows);
  double mean = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    mean += (double(x[begin + i * cols]) - first) * share;
  }
  mean = over_stripes<Sum>(mean, shared);
  if (inside && threadIdx.y == 0) out[column] = first + mean;
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    deviation_kernel(const T* __restrict__ x, int64_t rows, int64_t cols,
                     const double* __restrict__ shift, double* __restrict__ deviations) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const int64_t begin = inside ? column : 0;
  double largest = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    largest = Largest::of(fabs(double(x[begin + i * cols]) - shift[begin]), largest);
  }
  largest = over_stripes<Largest>(largest, shared);
  if (inside && threadIdx.y == 0) deviations[column] = largest;
}

__global__ void __launch_bounds__(kColumns* kStripes)
    unit_kernel(const double* __restrict__ deviations, int64_t cols, double* __restrict__ unit,
                double* __restrict__ ratio) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x;
  double largest = 0;
  for (int64_t k = thread; k < cols; k += kColumns * kStripes) {
    largest = Largest::of(deviations[k], largest);
  }
  largest = over_block<Largest>(largest, shared);
  if (thread > 0) return;
  const double before = *unit, needed = power_above(largest);
  const double now = needed > before ? needed : before;
  *unit = now;
  *ratio = before / now;
}

// A block per item.
__global__ void __launch_bounds__(kMostThreads)
    growth_kernel(SumsSide items, const double* __restrict__ ratio, double* __restrict__ out) {
  for (int64_t item = blockIdx.x; item < items.count; item += gridDim.x) {
    const double by = ratio[item];
    const int64_t end = items.starts[item + 1];
    for (int64_t j = items.starts[item] + threadIdx.x; j < end; j += blockDim.x) out[j] = by;
    if (threadIdx.x == 0) out[1 + item] = by * by;
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) out[0] = 1;
}

__global__ void __launch_bounds__(kMostThreads, 4)
    grow_kernel(double* __restrict__ sums, int64_t size, int64_t width,
                const double* __restrict__ rows, const double* __restrict__ columns) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double by = rows[k / width] * columns[k % width];
    if (by != 1) sums[k] *= by;
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill, here and below
    divide_kernel(const T* __restrict__ x, int64_t size, const double* __restrict__ unit,
                  T* __restrict__ out) {
  const double scale = 1 / *unit;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = T(double(x[k]) * scale);
  }
}

}  // namespace

template <class T>
void column_means(const T* x, int64_t rows, int64_t cols, double* out, cudaStream_t stream) {
  launch(mean_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream, x, rows,
         cols, out);
}

template <class T>
void grow_unit(const T* x, int64_t rows, int64_t cols, const UnitGrowth& growth,
               cudaStream_t stream) {
  launch(deviation_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream, x,
         rows, cols, growth.shift, growth.deviations);
  launch(unit_kernel, dim3(1), dim3(kColumns, kStripes), 0, stream, growth.deviations, cols,
         growth.unit, growth.ratio);
}

void growth_of(const SumsSide& items, const double* ratio, int64_t width, double* out,
               cudaStream_t stream) {
  const int64_t blocks = items.count < kMostItems ? items.count : kMostItems;
  launch(growth_kernel, dim3(unsigned(blocks)), threads_for(width), 0, stream, items, ratio, out);
}

void grow_sums(double* sums, int64_t height, int64_t width, const double* rows,
               const double* columns, cudaStream_t stream) {
  const int64_t size = height * width;
  launch(grow_kernel, blocks_for(size), threads_for(size), 0, stream, sums, size, width, rows,
         columns);
}

template <class T>
void divide_by_unit(const T* x, int64_t size, const double* unit, T* out, cudaStream_t stream) {
  launch(divide_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, size, unit, out);
}

LIKEWISE_INSTANTIATE(column_means);
LIKEWISE_INSTANTIATE(grow_unit);
LIKEWISE_INSTANTIATE(divide_by_unit);

}  // namespace likewise::cuda

// Batches are read once more for their deviations; sums are read and written twice where a frame
// changes: bytes over bandwidth.

#include "core/cuda/columns.cuh"
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

__global__ void __launch_bounds__(kColumns* kStripes) meeting_kernel(FramesMeeting m) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x, item = blockIdx.x;
  const int64_t begin = m.items.starts[item] - m.items.starts[0];
  const int64_t end = m.items.starts[item + 1] - m.items.starts[0];
  double apart = 0;
  for (int64_t j = begin + thread; j < end; j += kColumns * kStripes) {
    apart = Largest::of(fabs(m.second.shift[j] - m.first.shift[j]), apart);
  }
  apart = over_block<Largest>(apart, shared);
  const double first = m.first.unit[item], second = m.second.unit[item];
  const double larger = first > second ? first : second, needed = power_above(apart);
  const double unit = needed > larger ? needed : larger;
  for (int64_t j = begin + thread; j < end; j += kColumns * kStripes) {
    m.step_of_second[j] = (m.second.shift[j] - m.first.shift[j]) / unit;
  }
  __syncthreads();  // all have read the units
  if (thread > 0) return;
  m.ratio[item] = first / unit;
  m.ratio_of_second[item] = second / unit;
  m.unit[item] = unit;
}

__device__ bool changes(const FrameChange& change, int64_t item) {
  return change.step || change.ratio[item] != 1;
}

// A thread per column. |r u + s|^2 = r^2 |u|^2 + 2 s'(r u) + |s|^2.
__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill
    row_kernel(double* __restrict__ sums, int64_t width, MovedSide rows) {
  const int64_t begin = rows.items.starts[0];
  for (int64_t item = blockIdx.y; item < rows.items.count; item += gridDim.y) {
    if (!changes(rows.change, item)) continue;
    const double ratio = rows.change.ratio[item];
    const int64_t step = int64_t(gridDim.x) * blockDim.x;
    for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < width; k += step) {
      double along = 0, own = 0;
      for (int64_t i = rows.items.starts[item]; i < rows.items.starts[item + 1]; ++i) {
        const double by = rows.change.step ? rows.change.step[i - begin] : 0;
        const double scaled = ratio * sums[i * width + k];
        along += by * scaled;
        own += by * by;
        sums[i * width + k] = scaled + by * sums[k];
      }
      double& squares = sums[(1 + item) * width + k];
      squares = ratio * ratio * squares + 2 * along + own * sums[k];
    }
  }
}

// A warp per row.
__global__ void __launch_bounds__(kMostThreads)
    column_kernel(double* __restrict__ sums, int64_t height, int64_t width, MovedSide columns) {
  const int lane = int(threadIdx.x) & 31;
  const int64_t begin = columns.items.starts[0];
  const int64_t warps = int64_t(gridDim.x) * (blockDim.x >> 5);
  int64_t i = int64_t(blockIdx.x) * (blockDim.x >> 5) + (threadIdx.x >> 5);
  for (; i < height; i += warps) {
    double* const row = sums + i * width;
    for (int64_t item = 0; item < columns.items.count; ++item) {
      if (!changes(columns.change, item)) continue;
      const double ratio = columns.change.ratio[item];
      double along = 0, own = 0;
      const int64_t end = columns.items.starts[item + 1];
      for (int64_t j = columns.items.starts[item] + lane; j < end; j += 32) {
        const double by = columns.change.step ? columns.change.step[j - begin] : 0;
        const double scaled = ratio * row[j];
        along += by * scaled;
        own += by * by;
        row[j] = scaled + by * row[0];
      }
      along = warp_sum(along);
      own = warp_sum(own);
      if (lane == 0) row[1 + item] = ratio * ratio * row[1 + item] + 2 * along + own * row[0];
    }
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

__global__ void __launch_bounds__(kMostThreads, 4)
    product_kernel(double* __restrict__ products, int64_t size, int64_t cols,
                   const double* __restrict__ by_x, const double* __restrict__ by_y) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    // One by one: products of units may be infinite where a product is 0.
    double product = products[k];
    for (int twice = 0; twice < 2; ++twice) {
      product = product * (by_x ? by_x[k / cols] : 1) * (by_y ? by_y[k % cols] : 1);
    }
    products[k] = product;
  }
}

}  // namespace

template <class T>
cudaError_t column_means(const T* x, int64_t rows, int64_t cols, double* out, cudaStream_t stream) {
  return launch(mean_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream, x,
                rows, cols, out);
}

template <class T>
cudaError_t grow_unit(const T* x, int64_t rows, int64_t cols, const UnitGrowth& growth,
                      cudaStream_t stream) {
  const cudaError_t error =
      launch(deviation_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream,
             x, rows, cols, growth.shift, growth.deviations);
  if (error != cudaSuccess) return error;
  return launch(unit_kernel, dim3(1), dim3(kColumns, kStripes), 0, stream, growth.deviations, cols,
                growth.unit, growth.ratio);
}

cudaError_t meet_frames(const FramesMeeting& meeting, cudaStream_t stream) {
  return launch(meeting_kernel, dim3(unsigned(meeting.items.count)), dim3(kColumns, kStripes), 0,
                stream, meeting);
}

cudaError_t move_sums(double* sums, int64_t height, int64_t width, const MovedSide& rows,
                      const MovedSide& columns, cudaStream_t stream) {
  const int64_t items = rows.items.count < kMostItems ? rows.items.count : kMostItems;
  const dim3 grid(blocks_for(width).x, unsigned(items));
  const cudaError_t error =
      launch(row_kernel, grid, threads_for(width), 0, stream, sums, width, rows);
  if (error != cudaSuccess) return error;
  return launch(column_kernel, blocks_for(32 * height), threads_for(32 * height), 0, stream, sums,
                height, width, columns);
}

template <class T>
cudaError_t divide_by_unit(const T* x, int64_t size, const double* unit, T* out,
                           cudaStream_t stream) {
  return launch(divide_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, size, unit,
                out);
}

cudaError_t scale_products(double* products, int64_t rows, int64_t cols, const double* by_x,
                           const double* by_y, cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(product_kernel, blocks_for(size), threads_for(size), 0, stream, products, size,
                cols, by_x, by_y);
}

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template cudaError_t column_means<T>(const T*, int64_t, int64_t, double*, cudaStream_t);        \
  template cudaError_t grow_unit<T>(const T*, int64_t, int64_t, const UnitGrowth&, cudaStream_t); \
  template cudaError_t divide_by_unit<T>(const T*, int64_t, const double*, T*, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

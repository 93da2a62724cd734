// Activity of units: every element is read three times, bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "units/cuda/statistics.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch

// Deviations of differences, which are exactly 0 for equal values, in units whose squares fit.
template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    moment_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, UnitStatistics<T> out,
                  double* __restrict__ negated) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = size_t(blockIdx.y) * rows * cols + (inside ? column : 0);
  double largest = 0, active = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = double(x[begin + i * cols]);
    largest = Largest::of(fabs(value), largest);
    active += value != 0;
  }
  largest = over_stripes<Largest>(largest, shared);
  active = over_stripes<Sum>(active, shared) / double(rows);
  const double unit = largest > 0 && largest < INFINITY ? unit_for(largest) : 1;
  const double first = double(x[begin]) * unit;
  double mean = 0, moved = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = double(x[begin + i * cols]) * unit;
    mean += value;
    moved += value - first;
  }
  mean = over_stripes<Sum>(mean, shared) / double(rows) / unit;
  moved = over_stripes<Sum>(moved, shared) / double(rows);
  double squares = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double distance = double(x[begin + i * cols]) * unit - first - moved;
    squares += distance * distance;
  }
  squares = over_stripes<Sum>(squares, shared);
  if (!inside || threadIdx.y > 0) return;
  const size_t to = size_t(blockIdx.y) * cols + column;
  out.mean[to] = T(mean);
  out.deviation[to] = T(sqrt(squares / double(rows)) / unit);
  out.active[to] = T(active);
  negated[to] = mean == mean ? -mean : double(NAN);  // whose sign decides where it is sorted
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    spectrum_kernel(const double* __restrict__ negated, const int32_t* __restrict__ order,
                    int64_t cols, UnitStatistics<T> out) {
  const size_t begin = size_t(blockIdx.y) * cols;
  const double* const values = negated + begin;
  const int32_t* const places = order + begin;
  const double largest = -values[places[0]];
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < cols; k += step) {
    const double mean = -values[places[k]];
    out.spectrum[begin + k] = T(mean);
    // The positive ones come first. Of infinite ones alone there is no spread: NaN.
    const bool positive = mean > 0, last = k + 1 == cols || !(-values[places[k + 1]] > 0);
    if (positive && last) out.spread[blockIdx.y] = T(largest / mean);
    if (k == 0 && !positive) out.spread[blockIdx.y] = T(NAN);
  }
}

}  // namespace

template <class T>
cudaError_t unit_moments(const T* x, int64_t count, int64_t rows, int64_t cols,
                         const UnitStatistics<T>& out, double* negated, cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    const int64_t at = first * cols;
    const UnitStatistics<T> to{out.mean + at, out.deviation + at, out.active + at, nullptr,
                               nullptr};
    const cudaError_t error =
        launch(moment_kernel<T>, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0,
               stream, x + at * rows, rows, cols, to, negated + at);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

template <class T>
cudaError_t mean_spectra(const double* negated, const int32_t* order, int64_t count, int64_t cols,
                         const UnitStatistics<T>& out, cudaStream_t stream) {
  const dim3 grid(blocks_for(cols).x, unsigned(count));
  return launch(spectrum_kernel<T>, grid, threads_for(cols), 0, stream, negated, order, cols, out);
}

#define LIKEWISE_INSTANTIATE(T)                                                          \
  template cudaError_t unit_moments<T>(const T*, int64_t, int64_t, int64_t,              \
                                       const UnitStatistics<T>&, double*, cudaStream_t); \
  template cudaError_t mean_spectra<T>(const double*, const int32_t*, int64_t, int64_t,  \
                                       const UnitStatistics<T>&, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

// Centring: every element is read three times and written once or, normalised, twice: bytes over
// bandwidth.

#include "core/cuda/centred.h"
#include "core/cuda/columns.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch
constexpr unsigned kBlocksPerItem = 64;

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    spread_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, bool center,
                  double* __restrict__ spreads) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = size_t(blockIdx.y) * rows * cols + (inside ? column : 0);
  const double first = center ? double(x[begin]) : 0;
  double largest = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    largest = Largest::of(fabs(double(x[begin + i * cols]) - first), largest);
  }
  largest = over_stripes<Largest>(largest, shared);
  if (inside && threadIdx.y == 0) spreads[blockIdx.y * cols + column] = largest;
}

template <class T, class Out>
__global__ void __launch_bounds__(kColumns* kStripes)
    centre_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, bool center,
                  Centred<Out> to) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.y;
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x;
  double largest = 0, constant = 0;
  for (int64_t k = thread; k < cols; k += kColumns * kStripes) {
    const double spread = to.spreads[item * cols + k];
    largest = Largest::of(spread, largest);
    constant += spread == 0;
  }
  const double unit = unit_for(over_block<Largest>(largest, shared));
  constant = over_block<Sum>(constant, shared);
  if (blockIdx.x == 0 && thread == 0) {
    to.unit[item] = unit;
    to.constant_units[item] = int64_t(constant);
  }
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = item * rows * cols + (inside ? column : 0);
  const double first = center ? double(x[begin]) : 0;
  double mean = 0;
  for (int64_t i = threadIdx.y; i < rows && center; i += kStripes) {
    mean += (double(x[begin + i * cols]) - first) * unit;
  }
  mean = over_stripes<Sum>(mean, shared) / double(rows);
  double squares = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const Out value = Out((double(x[begin + i * cols]) - first) * unit - mean);
    if (inside) to.out[begin + i * cols] = value;
    squares += double(value) * double(value);
  }
  squares = over_stripes<Sum>(squares, shared);
  if (inside && threadIdx.y == 0) to.squares[item * cols + column] = squares;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    normalise_kernel(Centred<T> centred, int64_t size, int64_t cols, double* __restrict__ norms) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = blockIdx.y;
  double squares = 0;
  for (int64_t k = threadIdx.x; k < cols; k += blockDim.x) {
    squares += centred.squares[item * cols + k];
  }
  const double norm = sqrt(block_sum(squares, partial));
  const bool constant = norm == 0;
  if (blockIdx.x == 0 && threadIdx.x == 0) norms[item] = constant ? 0 : norm / centred.unit[item];
  T* const out = centred.out + item * size;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    if (!constant) out[k] = T(double(out[k]) / norm);
  }
}

// Items [first, first + ...) of what all point to.
template <class T>
Centred<T> from_item(const Centred<T>& all, int64_t first, int64_t rows, int64_t cols) {
  return {all.out + first * rows * cols, all.unit + first, all.squares + first * cols,
          all.constant_units + first, all.spreads + first * cols};
}

}  // namespace

template <class T>
void column_spreads(const T* x, int64_t count, int64_t rows, int64_t cols, bool center,
                    double* spreads, cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    launch(spread_kernel<T>, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0, stream,
           x + first * rows * cols, rows, cols, center, spreads + first * cols);
  }
}

template <class T, class Out>
void centre(const T* x, int64_t count, int64_t rows, int64_t cols, bool center,
            const Centred<Out>& out, cudaStream_t stream) {
  column_spreads<T>(x, count, rows, cols, center, out.spreads, stream);
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    launch(centre_kernel<T, Out>, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0,
           stream, x + first * rows * cols, rows, cols, center, from_item(out, first, rows, cols));
  }
}

template <class T>
void normalise(const Centred<T>& centred, int64_t count, int64_t rows, int64_t cols, double* norms,
               cudaStream_t stream) {
  const int64_t size = rows * cols, blocks = blocks_for(size).x;
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    const dim3 grid(unsigned(blocks < kBlocksPerItem ? blocks : kBlocksPerItem), unsigned(items));
    launch(normalise_kernel<T>, grid, threads_for(size), 0, stream,
           from_item(centred, first, rows, cols), size, cols, norms + first);
  }
}

LIKEWISE_INSTANTIATE(column_spreads);
LIKEWISE_INSTANTIATE(centre);
LIKEWISE_INSTANTIATE(normalise);
template decltype(centre<float, double>) centre<float, double>;

}  // namespace likewise::cuda

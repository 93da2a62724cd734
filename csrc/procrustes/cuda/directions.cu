// Columns are read twice and written once: bytes over bandwidth, little beside the decompositions.

#include "core/cuda/columns.cuh"
#include "procrustes/cuda/directions_kernels.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch
constexpr double kEpsilon = 0x1p-52;

__global__ void __launch_bounds__(kColumns* kStripes)
    unit_kernel(const double* __restrict__ x, Centred<double> centred, int64_t rows, int64_t cols,
                bool center, double* out, double* __restrict__ norms) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.y;
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = item * rows * cols + (inside ? column : 0);
  const size_t place = item * cols + (inside ? column : 0);
  const double unit = centred.unit[item];
  const double own = unit_for(centred.spreads[place] * unit);  // of this column
  double squares = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = centred.out[begin + i * cols] * own;
    squares += value * value;
  }
  const double norm = sqrt(over_stripes<Sum>(squares, shared));
  const int64_t varying = cols - centred.constant_units[item];
  const double share = double(rows > varying ? rows : varying) * kEpsilon;
  const double noise = center ? share * sqrt(double(rows)) * fabs(x[begin]) : 0;
  const double in_data = norm / own / unit;
  const bool absent = own == 0 || in_data <= noise;  // what is not finite is there, and NaN
  for (int64_t i = threadIdx.y; i < rows && inside; i += kStripes) {
    const size_t k = begin + i * cols;
    out[k] = absent ? 0 : centred.out[k] * own / norm;
  }
  if (inside && threadIdx.y == 0) norms[place] = absent ? 0 : in_data;
}

__global__ void __launch_bounds__(kMostThreads) existing_kernel(ExistingValues e) {
  SHARED_ARRAY(int64_t, partial, 32);
  const size_t item = blockIdx.x;
  double* const values = e.values + item * e.width;
  double largest = 0;
  for (int64_t k = 0; k < e.width; ++k) {  // every thread, in the same order
    largest = values[k] > largest ? values[k] : largest;
  }
  const int64_t varying = e.cols - e.constant_units[item];
  const double least = double(e.rows > varying ? e.rows : varying) * kEpsilon * largest;
  __syncthreads();  // nobody writes before all have read
  int64_t rank = 0;
  for (int64_t k = threadIdx.x; k < e.width; k += blockDim.x) {
    const bool rounding = values[k] <= least;  // NaN stays
    e.exist[item * e.width + k] = rounding ? 0 : 1;
    if (rounding) values[k] = 0;
    rank += !rounding;
  }
  rank = block_sum(rank, partial);
  if (threadIdx.x > 0) return;
  const int64_t samples = e.rows - e.center;
  e.ranks[item] = rank;
  e.dropped[item] = rank > 0 ? (varying < samples ? varying : samples) - rank : 0;
  if (rank == 0) e.constant_units[item] = e.cols;
}

}  // namespace

void unit_columns(const double* x, const Centred<double>& centred, int64_t count, int64_t rows,
                  int64_t cols, bool center, double* out, double* norms, cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    const int64_t at = first * rows * cols;
    const Centred<double> part{centred.out + at, centred.unit + first,
                               centred.squares + first * cols, centred.constant_units + first,
                               centred.spreads + first * cols};
    launch(unit_kernel, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0, stream, x + at,
           part, rows, cols, center, out + at, norms + first * cols);
  }
}

void find_existing(const ExistingValues& existing, cudaStream_t stream) {
  launch(existing_kernel, dim3(unsigned(existing.count)), threads_for(existing.width), 0, stream,
         existing);
}

}  // namespace likewise::cuda

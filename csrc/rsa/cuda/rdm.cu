// RDMs around a matrix product, 2 n^2 d operations per item: every sample is read three times and
// written once, every inner product read and every entry written once: bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "rsa/cuda/rdm.h"

namespace likewise::cuda {
namespace {

// Below this share of the norms a distance is computed from the difference.
constexpr double kSmall = 1e-2;

__global__ void __launch_bounds__(kColumns* kStripes)
    describe_kernel(const double* __restrict__ spreads, int64_t cols, RdmItem* __restrict__ items) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.x;
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x;
  double largest = 0, constant = 0;
  for (int64_t j = thread; j < cols; j += kColumns * kStripes) {
    const double spread = spreads[item * cols + j];
    largest = Largest::of(spread, largest);
    constant += spread == 0;
  }
  largest = over_block<Largest>(largest, shared);
  constant = over_block<Sum>(constant, shared);
  if (thread > 0) return;
  const double unit = unit_for(largest);
  // Entries of other samples than those with NaN or infinity stay numbers.
  items[item] = {unit > 0 ? unit : 1, int64_t(constant), largest == 0};
}

__device__ double warp_largest(double value) {
  for (int step = 16; step > 0; step /= 2) {
    value = Largest::of(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// A warp per sample.
template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    standardise_kernel(const T* __restrict__ x, int64_t count, int64_t rows, int64_t cols,
                       bool distances, bool centred, StandardSamples<T> to) {
  const int64_t row = int64_t(blockIdx.x) * kStripes + threadIdx.y, item = row / rows;
  if (row >= count * rows) return;
  const T *const from = x + row * cols, *const first = x + item * rows * cols;
  T* const out = to.out + row * cols;
  if (distances) {
    const double unit = to.items[item].unit;
    double squares = 0;
    for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
      const T value = T((double(from[j]) - double(first[j])) * unit);
      out[j] = value;
      squares += double(value) * double(value);
    }
    squares = warp_sum(squares);
    if (threadIdx.x == 0) to.norms[row] = squares;
    return;
  }
  double size = 0, spread = 0;
  for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
    size = Largest::of(fabs(double(from[j])), size);
    spread = Largest::of(fabs(double(from[j]) - double(from[0])), spread);
  }
  size = warp_largest(size);
  spread = warp_largest(spread);
  if (size == 0 || (centred && spread == 0)) {
    for (int64_t j = threadIdx.x; j < cols; j += kColumns) out[j] = T(0);
    if (to.without && threadIdx.x == 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(to.without + item), 1ull);
    }
    return;
  }
  const double unit = unit_for(size);
  double mean = 0, squares = 0;
  for (int64_t j = threadIdx.x; j < cols && centred; j += kColumns) mean += double(from[j]) * unit;
  mean = warp_sum(mean) / double(cols);
  for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
    const double value = double(from[j]) * unit - mean;
    squares += value * value;
  }
  const double factor = 1 / sqrt(warp_sum(squares));
  for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
    out[j] = T((double(from[j]) * unit - mean) * factor);
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    condense_kernel(RdmRows<T> block, bool distances, bool squared) {
  const size_t item = blockIdx.y;
  const int64_t rows = block.rows, cols = block.cols, width = rows - block.first;
  const int64_t i = block.first + blockIdx.x;
  const T* const products = block.products + (item * block.height + blockIdx.x) * width;
  T* const out = block.out + item * (rows * (rows - 1) / 2) + i * (2 * rows - i - 1) / 2;
  for (int64_t j = i + 1 + threadIdx.x; j < rows; j += blockDim.x) {
    const T product = products[j - block.first];
    if (!distances) {
      out[j - i - 1] = T(1) - product;
      continue;
    }
    const double unit = block.items[item].unit;
    const double norms = block.norms[item * rows + i] + block.norms[item * rows + j];
    double square = norms - 2 * double(product);
    if (square < kSmall * norms) {
      const T *const a = block.x + (item * rows + i) * cols, *const b = a + (j - i) * cols;
      square = 0;
      for (int64_t t = 0; t < cols; ++t) {
        const double step = (double(a[t]) - double(b[t])) * unit;
        square += step * step;
      }
    }
    out[j - i - 1] = T(squared ? square / unit / unit : sqrt(square) / unit);
  }
}

}  // namespace

cudaError_t describe_items(const double* spreads, int64_t count, int64_t cols, RdmItem* items,
                           cudaStream_t stream) {
  return launch(describe_kernel, dim3(unsigned(count)), dim3(kColumns, kStripes), 0, stream,
                spreads, cols, items);
}

template <class T>
cudaError_t standardise(const T* x, int64_t count, int64_t rows, int64_t cols,
                        Dissimilarity dissimilarity, const StandardSamples<T>& to,
                        cudaStream_t stream) {
  const dim3 grid(unsigned((count * rows + kStripes - 1) / kStripes));
  return launch(standardise_kernel<T>, grid, dim3(kColumns, kStripes), 0, stream, x, count, rows,
                cols, is_distance(dissimilarity), dissimilarity == Dissimilarity::correlation, to);
}

template <class T>
cudaError_t condense(const RdmRows<T>& block, Dissimilarity dissimilarity, cudaStream_t stream) {
  const dim3 grid(unsigned(block.height), unsigned(block.count));
  return launch(condense_kernel<T>, grid, threads_for(block.rows - block.first), 0, stream, block,
                is_distance(dissimilarity), dissimilarity == Dissimilarity::sqeuclidean);
}

#define LIKEWISE_INSTANTIATE(T)                                                           \
  template cudaError_t standardise<T>(const T*, int64_t, int64_t, int64_t, Dissimilarity, \
                                      const StandardSamples<T>&, cudaStream_t);           \
  template cudaError_t condense<T>(const RdmRows<T>&, Dissimilarity, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

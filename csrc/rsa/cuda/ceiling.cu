// Vectors are read twice and written once, responses read five times: bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "rsa/cuda/ceiling.h"

namespace likewise::cuda {
namespace {

// What an element is multiplied by: ranks stay whole numbers, so that equal sums are equal.
__device__ double weight(const Vectors<double>& v, int64_t item) { return v.factors[item]; }
__device__ double weight(const Vectors<int32_t>& v, int64_t item) {
  return v.factors[item] > 0 ? 1 : NAN;
}

template <class S>
__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill, here and below
    pool_kernel(Vectors<S> v, int64_t count, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < v.size; k += step) {
    const auto part = [&](int64_t item) {
      return (double(v.data[item * v.size + k]) - (v.shifts ? v.shifts[item] : 0)) *
             weight(v, item);
    };
    double sum = 0;
    for (int64_t item = 0; item < count; ++item) sum += part(item);
    for (int64_t item = 0; item < count; ++item) {
      out[item * v.size + k] = (sum - part(item)) / double(count - 1);
    }
    out[count * v.size + k] = sum / double(count);
  }
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes, 2)
    ceiling_kernel(const T* __restrict__ x, int64_t repeats, int64_t rows, int64_t cols,
                   T* __restrict__ out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.y;
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const T* const from = x + item * repeats * rows * cols + column;
  const auto mean_of = [&](int64_t row) {
    double sum = 0;
    for (int64_t r = 0; r < repeats; ++r) sum += double(from[(r * rows + row) * cols]);
    return sum / double(repeats);
  };
  const double first = inside ? double(from[0]) : 0;
  double largest = 0;
  for (int64_t row = threadIdx.y; row < repeats * rows && inside; row += kStripes) {
    largest = Largest::of(fabs(double(from[row * cols]) - first), largest);
  }
  const double unit = unit_for(over_stripes<Largest>(largest, shared));  // no square overflows
  const double origin = inside ? mean_of(0) : 0;                         // equal means stay equal
  double within = 0, sum = 0, between = 0;
  for (int64_t row = threadIdx.y; row < rows && inside; row += kStripes) {
    const double mean = mean_of(row);
    sum += mean - origin;
    for (int64_t r = 0; r < repeats; ++r) {
      const double difference = (double(from[(r * rows + row) * cols]) - mean) * unit;
      within += difference * difference;
    }
  }
  within = over_stripes<Sum>(within, shared) / (double(rows) * double(repeats - 1));
  const double centre = origin + over_stripes<Sum>(sum, shared) / double(rows);
  for (int64_t row = threadIdx.y; row < rows && inside; row += kStripes) {
    const double difference = (mean_of(row) - centre) * unit;
    between += difference * difference;
  }
  between = over_stripes<Sum>(between, shared) * double(repeats) / double(rows - 1);
  if (threadIdx.y > 0 || !inside) return;
  // NaN stays NaN.
  out[item * cols + column] = T(between <= within ? 0 : sqrt((between - within) / between));
}

}  // namespace

template <class S>
cudaError_t pool(const Vectors<S>& vectors, int64_t count, double* out, cudaStream_t stream) {
  return launch(pool_kernel<S>, blocks_for(vectors.size), threads_for(vectors.size), 0, stream,
                vectors, count, out);
}

template <class T>
cudaError_t noise_ceilings(const T* x, int64_t count, int64_t repeats, int64_t rows, int64_t cols,
                           T* out, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  for (int64_t first = 0; first < count && error == cudaSuccess; first += kMostVectors) {
    const int64_t some = count - first < kMostVectors ? count - first : kMostVectors;
    error =
        launch(ceiling_kernel<T>, blocks_of_columns(cols, some), dim3(kColumns, kStripes), 0,
               stream, x + first * repeats * rows * cols, repeats, rows, cols, out + first * cols);
  }
  return error;
}

template cudaError_t pool<double>(const Vectors<double>&, int64_t, double*, cudaStream_t);
template cudaError_t pool<int32_t>(const Vectors<int32_t>&, int64_t, double*, cudaStream_t);
template cudaError_t noise_ceilings<float>(const float*, int64_t, int64_t, int64_t, int64_t, float*,
                                           cudaStream_t);
template cudaError_t noise_ceilings<double>(const double*, int64_t, int64_t, int64_t, int64_t,
                                            double*, cudaStream_t);

}  // namespace likewise::cuda

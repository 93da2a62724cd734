// A thousand draws or so: each kernel is a launch. Places in the sorted draws are counted, n^2
// comparisons of values that all threads of a warp read together; 3 ms for 1e5 draws.

#include "core/cuda/kernel.cuh"
#include "inference/cuda/draws.h"

namespace likewise::cuda {
namespace {

// As block_sum; values at least 0.
__device__ double block_max(double value, double* partial) {
  for (int step = 16; step > 0; step /= 2) {
    value = fmax(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = value;
  __syncthreads();
  double largest = 0;
  for (int w = 0; w < int(blockDim.x) >> 5; ++w) largest = fmax(largest, partial[w]);
  return largest;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    p_value_kernel(const T* __restrict__ score, const T* __restrict__ null, int64_t count,
                   const T* __restrict__ own_x, const T* __restrict__ own_y, Comparison how,
                   double* __restrict__ p) {
  SHARED_ARRAY(double, partial, 32);
  const double bound = double(*score);
  double scale = how.scale;
  if (scale == INFINITY) {
    double largest = fmax(fabs(bound), sqrt(fabs(double(*own_x) * double(*own_y))));
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
      largest = fmax(largest, fabs(double(null[k])));
    }
    scale = block_max(largest, partial);
    __syncthreads();  // `partial` is used again
  }
  const double tie = how.error * scale;
  double extreme = 0;  // whole numbers
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
    const double excess = double(null[k]) - bound;
    extreme += how.larger ? excess >= -tie : excess <= tie;
  }
  extreme = block_sum(extreme, partial);
  if (threadIdx.x > 0) return;
  const double share = how.exact ? extreme / double(count) : (1 + extreme) / double(count + 1);
  *p = bound == bound ? share : NAN;
}

// Draws that are no numbers have no place.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    place_kernel(const T* __restrict__ draws, int64_t count, double* __restrict__ sorted) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) {
    const T value = draws[k];
    if (!(value == value)) continue;
    int64_t place = 0;
    for (int64_t j = 0; j < count; ++j) {
      const T other = draws[j];
      place += other < value || (other == value && j < k);
    }
    sorted[place] = double(value);
  }
}

// For a share below 1 of two numbers or more, so that there is one above.
__device__ double quantile(const double* sorted, int64_t count, double share) {
  const double at = share * double(count - 1);
  const int64_t below = int64_t(at);
  return sorted[below] + (at - double(below)) * (sorted[below + 1] - sorted[below]);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    spread_kernel(const T* __restrict__ draws, int64_t count, const double* __restrict__ sorted,
                  Spread out) {
  SHARED_ARRAY(double, partial, 32);
  double kept = 0, sum = 0, squares = 0;
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) kept += draws[k] == draws[k];
  kept = block_sum(kept, partial);
  const int64_t numbers = int64_t(kept);
  __syncthreads();  // `partial` is used again
  for (int64_t k = threadIdx.x; k < numbers; k += blockDim.x) sum += sorted[k];
  const double mean = block_sum(sum, partial) / kept;
  __syncthreads();
  for (int64_t k = threadIdx.x; k < numbers; k += blockDim.x) {
    squares += (sorted[k] - mean) * (sorted[k] - mean);
  }
  squares = block_sum(squares, partial);
  if (threadIdx.x > 0) return;
  const bool enough = numbers >= 2;
  *out.error = enough ? sqrt(squares / (kept - 1)) : NAN;
  *out.low = enough ? quantile(sorted, numbers, 0.025) : NAN;
  *out.high = enough ? quantile(sorted, numbers, 0.975) : NAN;
}

}  // namespace

template <class T>
cudaError_t p_value(const T* score, const T* null, int64_t count, const T* own_x, const T* own_y,
                    const Comparison& how, double* p, cudaStream_t stream) {
  return launch(p_value_kernel<T>, dim3(1), threads_for(count), 0, stream, score, null, count,
                own_x, own_y, how, p);
}

template <class T>
cudaError_t spread(const T* draws, int64_t count, double* sorted, const Spread& out,
                   cudaStream_t stream) {
  const cudaError_t error = launch(place_kernel<T>, blocks_for(count), threads_for(count), 0,
                                   stream, draws, count, sorted);
  if (error != cudaSuccess) return error;
  return launch(spread_kernel<T>, dim3(1), threads_for(count), 0, stream, draws, count, sorted,
                out);
}

#define LIKEWISE_INSTANTIATE(T)                                                    \
  template cudaError_t p_value<T>(const T*, const T*, int64_t, const T*, const T*, \
                                  const Comparison&, double*, cudaStream_t);       \
  template cudaError_t spread<T>(const T*, int64_t, double*, const Spread&, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

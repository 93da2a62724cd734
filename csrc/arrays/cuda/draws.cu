// A thousand draws or so: one block, whose time is that of the launch.

#include "arrays/cuda/draws.h"
#include "core/cuda/kernel.cuh"

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

// The sum of squares about the mean of `count` numbers that at(k) gives, those left out that are
// none; how many were counted goes to `kept`.
template <class At>
__device__ double squares_about_mean(int64_t count, At at, double* partial, double& kept) {
  double sum = 0, squares = 0;
  kept = 0;
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
    const double value = at(k);
    if (value == value) kept += 1, sum += value;
  }
  kept = block_sum(kept, partial);
  __syncthreads();  // `partial` is used again
  const double mean = block_sum(sum, partial) / kept;
  __syncthreads();
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
    const double value = at(k);
    if (value == value) squares += (value - mean) * (value - mean);
  }
  squares = block_sum(squares, partial);
  __syncthreads();
  return squares;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    interval_kernel(const T* __restrict__ score, const T* __restrict__ draws, int64_t count,
                    Subsets how, Spread out) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t pairs = (count - how.parts) / 2;
  const T* const halves = draws + how.parts;
  double parts_kept, pairs_kept;
  const double of_parts = squares_about_mean(
      how.parts, [&](int64_t k) { return double(draws[k]); }, partial, parts_kept);
  const double of_means = squares_about_mean(
      pairs, [&](int64_t k) { return (double(halves[2 * k]) + double(halves[2 * k + 1])) / 2; },
      partial, pairs_kept);
  double between = 0;
  for (int64_t k = threadIdx.x; k < pairs; k += blockDim.x) {
    const double half = (double(halves[2 * k]) - double(halves[2 * k + 1])) / 2;
    if (half == half) between += half * half;
  }
  between = block_sum(between, partial);
  if (threadIdx.x > 0) return;
  const double centre = double(*score);
  if (parts_kept < 2 || pairs_kept < 2 || centre != centre) {
    *out.error = *out.low = *out.high = NAN;
    return;
  }
  // Samples that act one by one leave the mean of two halves as it is.
  const double share = of_means / (pairs_kept - 1) / (between / pairs_kept);
  const double width = how.high - how.low;
  const double rounding = how.rounding * (width == INFINITY ? fabs(centre) : width);
  const double joint = between / pairs_kept > rounding * rounding ? fmin(share, 0.5) : 0.0;
  const double odds = joint / (1 - joint);
  const double pairwise = how.scaled == Scaled::cube_root ? odds : odds * odds;
  const double error = sqrt(of_parts / (parts_kept - 1) * how.scale / (1 + how.excess * pairwise));
  const double reach = how.quantile * error;
  double low = centre - reach, high = centre + reach;
  if (how.scaled == Scaled::arctanh && fabs(centre) < 1) {
    const double scaled = reach / (1 - centre * centre);
    low = tanh(atanh(centre) - scaled);
    high = tanh(atanh(centre) + scaled);
  } else if (how.scaled == Scaled::cube_root && centre > 0) {
    const double root = cbrt(centre), scaled = reach / (3 * root * root);
    const double least = fmax(root - scaled, 0.0), most = root + scaled;
    low = least * least * least;
    high = most * most * most;
  }
  *out.error = error;
  *out.low = fmax(low, how.low);
  *out.high = fmin(high, how.high);
}

}  // namespace

template <class T>
cudaError_t p_value(const T* score, const T* null, int64_t count, const T* own_x, const T* own_y,
                    const Comparison& how, double* p, cudaStream_t stream) {
  return launch(p_value_kernel<T>, dim3(1), threads_for(count), 0, stream, score, null, count,
                own_x, own_y, how, p);
}

template <class T>
cudaError_t interval(const T* score, const T* draws, int64_t count, const Subsets& how,
                     const Spread& out, cudaStream_t stream) {
  return launch(interval_kernel<T>, dim3(1), threads_for(count), 0, stream, score, draws, count,
                how, out);
}

#define LIKEWISE_INSTANTIATE(T)                                                                \
  template cudaError_t p_value<T>(const T*, const T*, int64_t, const T*, const T*,             \
                                  const Comparison&, double*, cudaStream_t);                   \
  template cudaError_t interval<T>(const T*, const T*, int64_t, const Subsets&, const Spread&, \
                                   cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

// n^2 numbers of an item are read and written once before its decomposition and once after it:
// bytes over bandwidth, which the decomposition (see jacobi.h) takes many times.

#include "core/cuda/kernel.cuh"
#include "core/cuda/pairs.cuh"
#include "rsa/cuda/roots.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    shift_kernel(Vectors<double> moments, int64_t n, double* __restrict__ out) {
  const size_t item = blockIdx.y;
  const int64_t i = blockIdx.x;
  const double *const packed = moments.data + item * moments.size, norm = 1 / moments.factors[item];
  double* const row = out + (item * n + i) * n;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
    const int64_t low = i < j ? i : j, high = i < j ? j : i;
    const double moment = packed[low * (2 * n - low + 1) / 2 + high - low];
    const double shifted = i == j ? moment + norm : moment / sqrt(2.0);
    row[j] = norm > 0 ? shifted : 0;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    scale_kernel(const double* __restrict__ vectors, const double* __restrict__ values,
                 const double* __restrict__ factors, int64_t n, double* __restrict__ roots) {
  constexpr double kEpsilon = 2.220446049250313e-16;
  const size_t item = blockIdx.y;
  const int64_t i = blockIdx.x;
  const double norm = 1 / factors[item];
  double* const row = roots + (item * n + i) * n;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
    const double value = values[item * n + j] - norm;
    const bool kept = value > 2 * double(n) * kEpsilon * norm;
    row[j] = kept ? vectors[(item * n + j) * n + i] * sqrt(value) : 0;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    negative_kernel(const double* __restrict__ values, const double* __restrict__ factors,
                    int64_t n, double tolerance, int64_t* __restrict__ found) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = blockIdx.x;
  const double norm = 1 / factors[item], least = norm * (1 - double(n) * tolerance);
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += values[item * n + j] < least;
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) found[item] += int64_t(sum);
}

__global__ void __launch_bounds__(kMostThreads)
    bures_kernel(const double* __restrict__ factors_a, const double* __restrict__ factors_b,
                 PairAxes axes, int64_t count, bool squared, double* __restrict__ scores) {
  const int64_t pair = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (pair >= count) return;
  const ItemPair items = items_of(axes, pair);
  const bool usable = factors_a[items.a] > 0 && factors_b[items.b] > 0;
  const double score = scores[pair];
  scores[pair] = usable ? (squared ? score * score : score) : NAN;
}

}  // namespace

cudaError_t shifted_moments(const Vectors<double>& moments, int64_t count, int64_t n, double* out,
                            cudaStream_t stream) {
  return launch(shift_kernel, dim3(unsigned(n), unsigned(count)), threads_for(n), 0, stream,
                moments, n, out);
}

cudaError_t scaled_vectors(const double* vectors, const double* values, const double* factors,
                           int64_t count, int64_t n, const Clipping& clipping, double* roots,
                           cudaStream_t stream) {
  if (clipping.items) {
    const cudaError_t error =
        launch(negative_kernel, dim3(unsigned(count)), threads_for(n), 0, stream, values, factors,
               n, clipping.tolerance, clipping.items);
    if (error != cudaSuccess) return error;
  }
  return launch(scale_kernel, dim3(unsigned(n), unsigned(count)), threads_for(n), 0, stream,
                vectors, values, factors, n, roots);
}

cudaError_t conclude_bures(const double* factors_a, const double* factors_b, const PairAxes& axes,
                           int64_t count, bool squared, double* scores, cudaStream_t stream) {
  const dim3 grid(unsigned((count + kMostThreads - 1) / kMostThreads));
  return launch(bures_kernel, grid, threads_for(count), 0, stream, factors_a, factors_b, axes,
                count, squared, scores);
}

}  // namespace likewise::cuda

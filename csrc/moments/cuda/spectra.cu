// What becomes of the eigenvalues of Gram matrices: a few passes over them, next to nothing beside
// the decompositions.

#include "core/cuda/kernel.cuh"
#include "moments/cuda/spectra_kernels.h"

namespace likewise::cuda {
namespace {

// The largest value of an item that rounding may have made.
__device__ double rounding_of(const Eigenvalues& e, const double* values) {
  double largest = 0;
  for (int64_t k = 0; k < e.cols; ++k) largest = values[k] > largest ? values[k] : largest;
  const double size = *e.samples > double(e.cols) ? *e.samples : double(e.cols);
  return size * 0x1p-52 * largest;
}

// Sum of the values that come before the k-th in descending order.
__device__ double sum_before(const double* values, int64_t size, int64_t k) {
  double sum = 0;
  for (int64_t j = 0; j < size; ++j) {
    if (values[j] > values[k] || (values[j] == values[k] && j < k)) sum += values[j];
  }
  return sum;
}

__global__ void __launch_bounds__(kMostThreads) whiten_kernel(Eigenvalues e, SpectrumWhitening w) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(int64_t, partial_count, 32);
  const int64_t item = blockIdx.x;
  const double* const values = e.values + item * e.cols;
  double* const weights = w.weights + item * e.cols;
  const double least = rounding_of(e, values);
  double total = 0;
  for (int64_t k = 0; k < e.cols; ++k) total += values[k] > least ? values[k] : 0;
  double sum = 0;
  int64_t rank = 0;
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    bool counts = values[k] > least;
    if (w.variance < 1) counts = counts && sum_before(values, e.cols, k) < w.variance * total;
    weights[k] = counts;
    sum += counts ? values[k] : 0;
    rank += counts;
  }
  sum = block_sum(sum, partial);
  rank = block_sum(rank, partial_count);
  const double ridge = w.regularization * sum / double(e.cols - w.constant_units[item]);
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    if (weights[k] > 0) weights[k] = 1 / sqrt(values[k] + ridge);
  }
  if (threadIdx.x == 0) w.ranks[item] = rank;
}

__global__ void __launch_bounds__(kMostThreads)
    reshape_kernel(Eigenvalues e, double alpha, const double* __restrict__ units,
                   double* __restrict__ weights) {
  SHARED_ARRAY(double, partial, 32);
  const double* const values = e.values + int64_t(blockIdx.x) * e.cols;
  weights += int64_t(blockIdx.x) * e.cols;
  const double least = rounding_of(e, values), added = (1 - alpha) / units[blockIdx.x];
  double largest = 0, squares = 0;
  for (int64_t k = 0; k < e.cols; ++k) largest = values[k] > largest ? values[k] : largest;
  const double most = alpha * sqrt(largest) + added;  // squares of parts of it do not overflow
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    const double root = values[k] > least ? sqrt(values[k]) : 0;
    const double reshaped = root > 0 ? (alpha * root + added) / most : 0;
    squares += reshaped * reshaped;
    weights[k] = root > 0 ? reshaped / root : 0;
  }
  const double norm = sqrt(block_sum(squares, partial));
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    if (weights[k] > 0) weights[k] /= norm;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    norm_kernel(const double* __restrict__ traces, const double* __restrict__ units, int64_t count,
                double* __restrict__ norms, double* __restrict__ lengths) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) {
    norms[k] = traces[k] < 0 ? 0 : sqrt(traces[k]);
    lengths[k] = norms[k] * units[k];
  }
}

__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill
    similarity_kernel(double* __restrict__ similarities, int64_t count,
                      const double* __restrict__ norm_x, const double* __restrict__ norms_y) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) {
    const double norms = norm_x ? *norm_x * norms_y[k] : 1;
    const double similarity = similarities[k] / norms;
    similarities[k] = similarity > 1 ? 1 : similarity;
  }
}

}  // namespace

cudaError_t whiten_spectra(const Eigenvalues& spectra, const SpectrumWhitening& whitening,
                           cudaStream_t stream) {
  return launch(whiten_kernel, dim3(unsigned(spectra.count)), threads_for(spectra.cols), 0, stream,
                spectra, whitening);
}

cudaError_t reshape_spectra(const Eigenvalues& spectra, double alpha, const double* units,
                            double* weights, cudaStream_t stream) {
  return launch(reshape_kernel, dim3(unsigned(spectra.count)), threads_for(spectra.cols), 0, stream,
                spectra, alpha, units, weights);
}

cudaError_t norms_of(const double* traces, const double* units, int64_t count, double* norms,
                     double* lengths, cudaStream_t stream) {
  return launch(norm_kernel, blocks_for(count), threads_for(count), 0, stream, traces, units, count,
                norms, lengths);
}

cudaError_t scale_similarities(double* similarities, int64_t count, const double* norm_x,
                               const double* norms_y, cudaStream_t stream) {
  return launch(similarity_kernel, blocks_for(count), threads_for(count), 0, stream, similarities,
                count, norm_x, norms_y);
}

}  // namespace likewise::cuda

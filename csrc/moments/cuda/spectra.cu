// What becomes of the eigenvalues of Gram matrices: a few passes over them, next to nothing beside
// the decompositions.

#include "core/cuda/kernel.cuh"
#include "moments/cuda/spectra_kernels.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    diagonal_kernel(const double* __restrict__ grams, int64_t cols, int64_t total,
                    double* __restrict__ norms) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const double square = grams[k / cols * cols * cols + k % cols * (cols + 1)];
    norms[k] = square < 0 ? 0 : sqrt(square);
  }
}

__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill
    unit_kernel(double* __restrict__ grams, int64_t cols, int64_t total,
                const double* __restrict__ norms) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const double* const own = norms + k / (cols * cols) * cols;
    const double a = own[k / cols % cols], b = own[k % cols];
    grams[k] = a == 0 || b == 0 ? 0 : grams[k] / a / b;
  }
}

__global__ void __launch_bounds__(kMostThreads) existing_kernel(ExistingSpectra e) {
  SHARED_ARRAY(int64_t, partial, 32);
  const size_t begin = size_t(blockIdx.x) * e.cols;
  const double* const values = e.values + begin;
  double largest = 0;
  for (int64_t k = 0; k < e.cols; ++k) largest = values[k] > largest ? values[k] : largest;
  const double samples = *e.samples, size = samples > double(e.cols) ? samples : double(e.cols);
  int64_t rank = 0, varying = 0;
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    const bool exists = values[k] > size * 0x1p-52 * largest;
    e.weights[begin + k] = exists ? 1 / sqrt(values[k]) : 0;
    rank += exists;
    varying += e.norms[begin + k] != 0;
  }
  rank = block_sum(rank, partial);
  __syncthreads();
  varying = block_sum(varying, partial);
  if (threadIdx.x > 0) return;
  const int64_t most = int64_t(samples + 0.5) - e.center;
  e.ranks[blockIdx.x] = rank;
  e.dropped[blockIdx.x] = rank > 0 ? (varying < most ? varying : most) - rank : 0;
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
  SHARED_ARRAY(int64_t, partial, 32);
  const int64_t item = blockIdx.x;
  const double* const values = e.values + item * e.cols;
  double* const weights = w.weights + item * e.cols;
  double total = 0;
  for (int64_t k = 0; k < e.cols; ++k) total += values[k] > 0 ? values[k] : 0;
  const double ridge = w.regularization * total / double(e.cols - w.constant_units[item]);
  int64_t rank = 0;
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    const double value = values[k] > 0 ? values[k] : 0;
    if (w.variance < 1) {
      const bool counts = value > 0 && sum_before(values, e.cols, k) < w.variance * total;
      weights[k] = counts;
      rank += counts;
    } else {
      weights[k] = ridge > 0 ? sqrt(value / (value + ridge)) : 1;
    }
  }
  rank = block_sum(rank, partial);
  if (threadIdx.x == 0 && w.variance < 1) e.ranks[item] = rank;
}

__global__ void __launch_bounds__(kMostThreads)
    reshape_kernel(Eigenvalues e, double alpha, const double* __restrict__ units,
                   double* __restrict__ weights) {
  SHARED_ARRAY(double, partial, 32);
  const double* const values = e.values + int64_t(blockIdx.x) * e.cols;
  weights += int64_t(blockIdx.x) * e.cols;
  const double added = (1 - alpha) / units[blockIdx.x];
  double largest = 0;
  for (int64_t k = 0; k < e.cols; ++k) largest = values[k] > largest ? values[k] : largest;
  const double most = alpha * sqrt(largest) + added;  // squares of more may overflow
  double squares = 0;
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    const double root = values[k] > 0 ? sqrt(values[k]) : 0;
    const double reshaped = (alpha * root + added) / most;
    squares += reshaped * reshaped;
    weights[k] = reshaped;
  }
  const int64_t rank = e.ranks[blockIdx.x];
  const double none = added / most;
  squares = block_sum(squares, partial) - double(e.cols - rank) * (none * none);
  for (int64_t k = threadIdx.x; k < e.cols; k += blockDim.x) {
    weights[k] = rank > 0 ? weights[k] / sqrt(squares) : 0;
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

cudaError_t unit_grams(double* grams, int64_t count, int64_t cols, double* norms,
                       cudaStream_t stream) {
  const int64_t units = count * cols, total = units * cols;
  const cudaError_t error = launch(diagonal_kernel, blocks_for(units), threads_for(units), 0,
                                   stream, grams, cols, units, norms);
  if (error != cudaSuccess) return error;
  return launch(unit_kernel, blocks_for(total), threads_for(total), 0, stream, grams, cols, total,
                norms);
}

cudaError_t find_existing(const ExistingSpectra& spectra, cudaStream_t stream) {
  return launch(existing_kernel, dim3(unsigned(spectra.count)), threads_for(spectra.cols), 0,
                stream, spectra);
}

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

// Element by element, but for the inverse: what is read and written, over bandwidth. An inverse has
// side^3 / 3 operations per item, a column per thread, and is made once where a pair's eigenvalues
// are found a hundred times.

#include "core/cuda/kernel.cuh"
#include "core/cuda/pairs.cuh"
#include "rsa/cuda/pencils.h"
#include "rsa/cuda/simplex.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    moment_kernel(const double* __restrict__ rdms, const RdmItem* __restrict__ facts, int64_t n,
                  double* __restrict__ moments, int* __restrict__ faults) {
  const size_t item = blockIdx.x;
  const int64_t entries = n * (n - 1) / 2, side = n - 1;
  const double* const rdm = rdms + item * entries;
  double* const out = moments + item * side * side;
  bool finite = true;
  for (int64_t k = threadIdx.x; k < entries; k += blockDim.x) {
    finite = finite && fabs(rdm[k]) < INFINITY;
  }
  finite = __syncthreads_and(finite);
  // The first n - 1 entries are those of the first sample.
  for (int64_t k = threadIdx.x; k < side * side; k += blockDim.x) {
    const int64_t i = k / side, j = k % side, low = (i < j ? i : j) + 1, high = (i < j ? j : i) + 1;
    const double between = i == j ? 0 : rdm[low * (2 * n - low - 1) / 2 + high - low - 1];
    out[k] = finite ? (rdm[i] + rdm[j] - between) / 2 : 0;
  }
  if (threadIdx.x == 0) {
    faults[item] = (finite ? 0 : kNotFinite) | (facts[item].constant ? kConstant : 0);
  }
}

__global__ void __launch_bounds__(kMostThreads)
    rank_kernel(const double* __restrict__ values, const int64_t* __restrict__ indefinite,
                int64_t count, int64_t side, int* __restrict__ faults) {
  constexpr double kEpsilon = 2.220446049250313e-16;
  const int64_t item = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (item >= count) return;
  double least = INFINITY, largest = 0;
  for (int64_t k = 0; k < side; ++k) {
    const double value = values[item * side + k];
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
  }
  const bool full = indefinite[item] == 0 && least > double(side) * kEpsilon * largest;
  if (!full) faults[item] |= kLowRank;
}

__global__ void __launch_bounds__(kMostThreads)
    inverse_kernel(const double* __restrict__ lower, int64_t side, double* __restrict__ inverses) {
  const size_t item = blockIdx.y;
  const double* const l = lower + item * side * side;
  double* const out = inverses + item * side * side;
  const int64_t begin = int64_t(blockIdx.x) * blockDim.x, column = begin + threadIdx.x;
  if (column >= side) return;
  for (int64_t i = 0; i < side; ++i) {
    double value = i == column ? 1 : 0;
    for (int64_t k = begin; k < i; ++k) value -= l[i * side + k] * out[k * side + column];
    out[i * side + column] = value / l[i * side + i];
  }
}

__global__ void __launch_bounds__(kMostThreads)
    noise_kernel(int64_t side, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < side * side; k += step) {
    out[k] = k / side == k % side ? 2 : 1;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    gather_kernel(const double* __restrict__ moments_a, const double* __restrict__ inverses_b,
                  PairAxes axes, int64_t first, int64_t size, double* __restrict__ moments,
                  double* __restrict__ inverses) {
  const size_t pair = blockIdx.y;
  const ItemPair items = items_of(axes, first + int64_t(pair));
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    moments[pair * size + k] = moments_a[items.a * size + k];
    inverses[pair * size + k] = inverses_b[items.b * size + k];
  }
}

__global__ void __launch_bounds__(kMostThreads)
    combine_kernel(const double* __restrict__ signals, const double* __restrict__ noises,
                   PairAxes axes, int64_t first, int64_t side, const Simplex* __restrict__ searches,
                   double* __restrict__ out) {
  const size_t pair = blockIdx.y;
  const Simplex& search = searches[pair];
  const int64_t size = side * side, step = int64_t(gridDim.x) * blockDim.x;
  const double* const signal = signals + pair * size;
  const double* const noise = noises + items_of(axes, first + int64_t(pair)).b * size;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const bool diagonal = k / side == k % side;
    out[pair * size + k] = search.done ? (diagonal ? 1 : 0)
                                       : search.signal * signal[k] + search.noise * noise[k] +
                                             (diagonal ? search.shift : 0);
  }
}

// Of elements of matrices, a few blocks for each of `count`.
dim3 blocks_of_matrices(int64_t size, int64_t count) {
  return dim3(blocks_for(size).x, unsigned(count));
}

}  // namespace

cudaError_t moments_about_first(const double* rdms, const RdmItem* facts, int64_t count, int64_t n,
                                double* moments, int* faults, cudaStream_t stream) {
  return launch(moment_kernel, dim3(unsigned(count)), threads_for((n - 1) * (n - 1)), 0, stream,
                rdms, facts, n, moments, faults);
}

cudaError_t find_low_rank(const double* values, const int64_t* indefinite, int64_t count,
                          int64_t side, int* faults, cudaStream_t stream) {
  const dim3 grid(unsigned((count + kMostThreads - 1) / kMostThreads));
  return launch(rank_kernel, grid, threads_for(count), 0, stream, values, indefinite, count, side,
                faults);
}

cudaError_t invert_lower(const double* lower, int64_t count, int64_t side, double* inverses,
                         cudaStream_t stream) {
  const dim3 grid(unsigned((side + kMostThreads - 1) / kMostThreads), unsigned(count));
  return launch(inverse_kernel, grid, threads_for(side), 0, stream, lower, side, inverses);
}

cudaError_t noise_covariance(int64_t side, double* out, cudaStream_t stream) {
  return launch(noise_kernel, blocks_for(side * side), threads_for(side * side), 0, stream, side,
                out);
}

cudaError_t gather_pencils(const double* moments_a, const double* inverses_b, const PairAxes& axes,
                           int64_t first, int64_t count, int64_t side, double* moments,
                           double* inverses, cudaStream_t stream) {
  const int64_t size = side * side;
  return launch(gather_kernel, blocks_of_matrices(size, count), threads_for(size), 0, stream,
                moments_a, inverses_b, axes, first, size, moments, inverses);
}

cudaError_t combine_pencils(const double* signals, const double* noises, const PairAxes& axes,
                            int64_t first, int64_t count, int64_t side, const Simplex* searches,
                            double* out, cudaStream_t stream) {
  const int64_t size = side * side;
  return launch(combine_kernel, blocks_of_matrices(size, count), threads_for(size), 0, stream,
                signals, noises, axes, first, side, searches, out);
}

}  // namespace likewise::cuda

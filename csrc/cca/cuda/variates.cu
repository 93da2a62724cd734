// What canonical correlations need beside decompositions and products: a few passes over singular
// values; projections are read once, bytes over bandwidth.

#include "cca/cuda/variates.h"
#include "core/cuda/kernel.cuh"

namespace likewise::cuda {
namespace {

// How many of `values` come before the k-th in descending order, and the sum of their squares.
struct Before {
  int64_t number = 0;
  double squares = 0;
};
__device__ Before before(const double* values, int64_t size, int64_t k) {
  Before found;
  for (int64_t j = 0; j < size; ++j) {
    if (values[j] > values[k] || (values[j] == values[k] && j < k)) {
      ++found.number;
      found.squares += values[j] * values[j];
    }
  }
  return found;
}

__device__ int64_t least_rank(const PairRanks& ranks, int64_t pair) {
  const int64_t x = ranks.x[pair * ranks.step_x], y = ranks.y[pair * ranks.step_y];
  return x < y ? x : y;
}

__global__ void __launch_bounds__(kMostThreads) whiten_kernel(Whitening w) {
  SHARED_ARRAY(int64_t, partial, 32);
  const size_t item = blockIdx.x;
  double* const values = w.values + item * w.rank;
  double largest = 0, total = 0;
  for (int64_t k = 0; k < w.rank; ++k) {  // every thread, in the same order
    largest = values[k] > largest ? values[k] : largest;
    total += values[k] * values[k];
  }
  const int64_t units = w.cols - w.constant_units[item];
  // Of values that are to have a share of the variance none may be rounding.
  const double least =
      w.variance < 1 ? double(w.rows > units ? w.rows : units) * 0x1p-52 * largest : 0;
  const double ridge = w.regularization * total / double(units);
  int64_t rank = 0;
  // Values are read by all before any is written: rounds of as many as there are threads.
  for (int64_t first = 0; first < w.rank; first += blockDim.x) {
    const int64_t k = first + threadIdx.x;
    if (k < w.rank) {
      const double s = values[k];
      const bool needed = w.variance >= 1 || before(values, w.rank, k).squares < w.variance * total;
      const bool counts = s > least && needed;
      w.kept[item * w.rank + k] = counts ? s : 0;
      rank += counts;
    }
  }
  rank = block_sum(rank, partial);  // its barrier: all values have been read
  if (threadIdx.x == 0 && w.ranks) w.ranks[item] = rank;
  for (int64_t k = threadIdx.x; k < w.rank; k += blockDim.x) {
    const double s = w.kept[item * w.rank + k];
    values[k] = s == 0 ? 0 : ridge > 0 ? s / sqrt(s * s + ridge) : 1;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    mean_kernel(const double* __restrict__ sums, PairRanks ranks, double* __restrict__ scores) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < ranks.count; k += step) {
    const int64_t rank = least_rank(ranks, k);
    scores[k] = rank > 0 ? sums[k] / double(rank) : NAN;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    leading_kernel(const double* __restrict__ found, int64_t size, PairRanks ranks, int64_t wanted,
                   double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, total = ranks.count * wanted;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t pair = k / wanted, place = k % wanted, rank = least_rank(ranks, pair);
    out[k] = rank == 0 ? NAN : place < rank ? found[pair * size + place] : 0;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    weighted_kernel(Projections found, PairRanks ranks, double* __restrict__ scores) {
  SHARED_ARRAY(double, partial, 32);
  const size_t pair = blockIdx.x;
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const double* const rho = found.rho + pair * found.size;
  const int64_t rank = least_rank(ranks, int64_t(pair));
  double sum = 0, total = 0;
  for (int64_t r = warp; r < found.size; r += blockDim.x >> 5) {
    if (before(rho, found.size, r).number >= rank) continue;  // a whole warp
    const double* const row = found.projections + (pair * found.size + r) * found.units;
    double weight = 0;
    for (int64_t j = lane; j < found.units; j += 32) weight += fabs(row[j]);
    weight = warp_sum(weight);
    if (lane > 0) continue;
    sum += weight * rho[r];
    total += weight;
  }
  sum = block_sum(sum, partial);
  __syncthreads();
  total = block_sum(total, partial);
  if (threadIdx.x == 0) scores[pair] = rank > 0 ? sum / total : NAN;
}

}  // namespace

void whiten_values(const Whitening& whitening, cudaStream_t stream) {
  launch(whiten_kernel, dim3(unsigned(whitening.count)), threads_for(whitening.rank), 0, stream,
         whitening);
}

void mean_correlations(const double* sums, const PairRanks& ranks, double* scores,
                       cudaStream_t stream) {
  launch(mean_kernel, blocks_for(ranks.count), threads_for(ranks.count), 0, stream, sums, ranks,
         scores);
}

void leading_correlations(const double* found, int64_t size, const PairRanks& ranks, int64_t wanted,
                          double* out, cudaStream_t stream) {
  const int64_t total = ranks.count * wanted;
  launch(leading_kernel, blocks_for(total), threads_for(total), 0, stream, found, size, ranks,
         wanted, out);
}

void weighted_correlations(const Projections& found, const PairRanks& ranks, double* scores,
                           cudaStream_t stream) {
  launch(weighted_kernel, dim3(unsigned(ranks.count)), threads_for(32 * found.size), 0, stream,
         found, ranks, scores);
}

}  // namespace likewise::cuda

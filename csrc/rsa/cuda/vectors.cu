// Sums over vectors, every element of which is read once or twice: bytes over bandwidth. What goes
// into products is written once as doubles.

#include "core/cuda/columns.cuh"
#include "core/cuda/pairs.cuh"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {
namespace {

template <class S>
__device__ double element(const Vectors<S>& v, size_t item, int64_t k) {
  return double(v.data[item * v.size + k]) - (v.shifts ? v.shifts[item] : 0);
}

__device__ double sum_of(const double* parts, int64_t count) {
  double sum = 0;
  for (int64_t p = 0; p < count; ++p) sum += parts[p];
  return sum;
}

// Sums of differences from the first element: zero for equal ones.
__global__ void __launch_bounds__(kMostThreads)
    difference_kernel(Vectors<double> v, double* __restrict__ partial) {
  SHARED_ARRAY(double, room, 32);
  const size_t item = blockIdx.y;
  const double first = v.data[item * v.size];
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  double sum = 0;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < v.size; k += step) {
    sum += v.data[item * v.size + k] - first;
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) partial[item * gridDim.x + blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kMostThreads)
    mean_kernel(Vectors<double> v, int64_t count, const double* __restrict__ partial, int64_t parts,
                double* __restrict__ shifts) {
  const int64_t item = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (item >= count) return;
  shifts[item] = v.data[item * v.size] + sum_of(partial + item * parts, parts) / double(v.size);
}

template <class S>
__global__ void __launch_bounds__(kMostThreads)
    pair_kernel(Vectors<S> a, Vectors<S> b, PairAxes axes, int64_t first,
                double* __restrict__ partial) {
  SHARED_ARRAY(double, room, 32);
  const ItemPair items = items_of(axes, first + blockIdx.y);
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  double sum = 0;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < a.size; k += step) {
    sum += element(a, items.a, k) * element(b, items.b, k);
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) partial[size_t(blockIdx.y) * gridDim.x + blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kMostThreads)
    pair_score_kernel(const double* __restrict__ partial, int64_t parts,
                      const double* __restrict__ factors_a, const double* __restrict__ factors_b,
                      PairAxes axes, int64_t first, int64_t count, double* __restrict__ scores) {
  const int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, pair = first + k;
  if (k >= count) return;
  const ItemPair items = items_of(axes, pair);
  scores[pair] = sum_of(partial + k * parts, parts) * factors_a[items.a] * factors_b[items.b];
}

__global__ void __launch_bounds__(kMostThreads)
    conclude_kernel(Conclusion v, int64_t count, Squares squares) {
  const int64_t item = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (item >= count) return;
  const double sum = sum_of(v.partial + item * v.parts, v.parts), size = double(v.size);
  const double ties = squares == Squares::ranks ? sum : 0;
  const double square = squares == Squares::sums ? sum : (size * size * size - size - ties) / 3;
  const RdmItem facts = v.items[item];
  const bool usable = fabs(sum) < INFINITY && !facts.constant;
  const bool has_length = square > 0 && !facts.flat;
  v.factors[item] = usable && has_length ? 1 / sqrt(square) : NAN;
  v.flat[item] = usable && !has_length;
  v.constant_units[item] = facts.constant_units;
  if (!usable) v.without[item] = 0;
}

template <class S>
__global__ void __launch_bounds__(kMostThreads)
    expand_kernel(Vectors<S> v, int64_t first, int64_t width, double* __restrict__ out) {
  const size_t item = blockIdx.y;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  const double factor = v.factors[item];
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < width; k += step) {
    out[item * width + k] = element(v, item, first + k) * factor;
  }
}

// Entry (i, j) of an RDM of n samples minus its shift; the diagonal is 0.
__device__ double entry(const Vectors<double>& v, size_t item, int64_t n, int64_t i, int64_t j) {
  if (i == j) return 0;
  const int64_t low = i < j ? i : j, high = i < j ? j : i;
  return element(v, item, low * (2 * n - low - 1) / 2 + high - low - 1);
}

// A warp per row.
__global__ void __launch_bounds__(kColumns* kStripes)
    row_mean_kernel(Vectors<double> v, int64_t n, double* __restrict__ row_means) {
  const size_t item = blockIdx.y;
  const int64_t i = int64_t(blockIdx.x) * kStripes + threadIdx.y;
  if (i >= n) return;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += kColumns) sum += entry(v, item, n, i, j);
  sum = warp_sum(sum);
  if (threadIdx.x == 0) row_means[item * n + i] = sum / double(n);
}

__global__ void __launch_bounds__(kMostThreads)
    moment_kernel(Vectors<double> v, int64_t n, const double* __restrict__ row_means,
                  double* __restrict__ out) {
  SHARED_ARRAY(double, room, 32);
  const size_t item = blockIdx.y;
  const double* const means = row_means + item * n;
  const int64_t i = blockIdx.x;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += means[j];
  const double mean = block_sum(sum, room) / double(n);
  double* const row = out + item * (n * (n + 1) / 2) + i * (2 * n - i + 1) / 2;
  for (int64_t j = i + threadIdx.x; j < n; j += blockDim.x) {
    const double moment = -(entry(v, item, n, i, j) - means[i] - means[j] + mean) / 2;
    row[j - i] = moment * (i == j ? 1 : sqrt(2.0));
  }
}

// Calls body(first, count) for as many vectors at a time as one launch takes.
template <class Body>
void for_vectors(int64_t count, Body&& body) {
  for (int64_t first = 0; first < count; first += kMostVectors) {
    body(first, count - first < kMostVectors ? count - first : kMostVectors);
  }
}

template <class S>
Vectors<S> from_vector(const Vectors<S>& v, int64_t first) {
  return {v.data + first * v.size, v.size, v.shifts ? v.shifts + first : nullptr,
          v.factors ? v.factors + first : nullptr};
}

// One thread per item.
dim3 blocks_of_all(int64_t count) {
  return dim3(unsigned((count + kMostThreads - 1) / kMostThreads));
}

}  // namespace

void vector_means(const Vectors<double>& vectors, int64_t count, double* partial, double* shifts,
                  cudaStream_t stream) {
  const int64_t parts = vector_parts(vectors.size);
  for_vectors(count, [&](int64_t first, int64_t some) {
    launch(difference_kernel, dim3(unsigned(parts), unsigned(some)), threads_for(vectors.size), 0,
           stream, from_vector(vectors, first), partial + first * parts);
  });
  launch(mean_kernel, blocks_of_all(count), threads_for(count), 0, stream, vectors, count, partial,
         parts, shifts);
}

template <class S>
void pair_products(const Vectors<S>& a, const Vectors<S>& b, const PairAxes& axes, int64_t first,
                   int64_t count, double* partial, cudaStream_t stream) {
  const int64_t parts = vector_parts(a.size);
  for_vectors(count, [&](int64_t from, int64_t some) {
    launch(pair_kernel<S>, dim3(unsigned(parts), unsigned(some)), threads_for(a.size), 0, stream, a,
           b, axes, first + from, partial + from * parts);
  });
}

void pair_scores(const double* partial, int64_t parts, const double* factors_a,
                 const double* factors_b, const PairAxes& axes, int64_t first, int64_t count,
                 double* scores, cudaStream_t stream) {
  launch(pair_score_kernel, blocks_of_all(count), threads_for(count), 0, stream, partial, parts,
         factors_a, factors_b, axes, first, count, scores);
}

void conclude(const Conclusion& vectors, int64_t count, Squares squares, cudaStream_t stream) {
  launch(conclude_kernel, blocks_of_all(count), threads_for(count), 0, stream, vectors, count,
         squares);
}

template <class S>
void expand(const Vectors<S>& vectors, int64_t count, int64_t first, int64_t width, double* out,
            cudaStream_t stream) {
  for_vectors(count, [&](int64_t from, int64_t some) {
    launch(expand_kernel<S>, dim3(unsigned(vector_parts(width)), unsigned(some)),
           threads_for(width), 0, stream, from_vector(vectors, from), first, width,
           out + from * width);
  });
}

void second_moments(const Vectors<double>& rdms, int64_t count, int64_t n, double* row_means,
                    double* out, cudaStream_t stream) {
  for_vectors(count, [&](int64_t first, int64_t some) {
    const Vectors<double> part = from_vector(rdms, first);
    double* const means = row_means + first * n;
    const dim3 rows(unsigned((n + kStripes - 1) / kStripes), unsigned(some));
    launch(row_mean_kernel, rows, dim3(kColumns, kStripes), 0, stream, part, n, means);
    launch(moment_kernel, dim3(unsigned(n), unsigned(some)), threads_for(n), 0, stream, part, n,
           means, out + first * (n * (n + 1) / 2));
  });
}

template decltype(pair_products<double>) pair_products<double>;
template decltype(pair_products<int32_t>) pair_products<int32_t>;
template decltype(expand<double>) expand<double>;
template decltype(expand<int32_t>) expand<int32_t>;

}  // namespace likewise::cuda

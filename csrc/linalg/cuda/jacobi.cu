// One-sided Jacobi SVD: pairs of columns are turned until all are orthogonal; their lengths are the
// singular values.

#include "core/instantiate.h"
#include "linalg/cuda/jacobi.cuh"
#include "linalg/cuda/jacobi.h"

namespace likewise::cuda {
namespace {

// Turns columns p and q (of length m) and, the same way, those of `right`. Whether it did.
template <class T>
__device__ bool turn(T* p, T* q, int64_t m, T* right_p, T* right_q, int64_t n, T negligible) {
  const int lane = int(threadIdx.x) & 31;
  T alpha = 0, beta = 0, gamma = 0;
  for (int64_t i = lane; i < m; i += 32) {
    alpha += p[i] * p[i];
    beta += q[i] * q[i];
    gamma += p[i] * q[i];
  }
  alpha = warp_sum(alpha);
  beta = warp_sum(beta);
  gamma = warp_sum(gamma);
  if (!is_to_be_turned(alpha, beta, gamma, m, negligible)) return false;
  const Rotation<T> rotation(alpha, beta, gamma);
  const auto rotate = [=](T* a, T* b, int64_t length) {
    for (int64_t i = lane; i < length; i += 32) rotation.turn(a[i], b[i]);
  };
  rotate(p, q, m);
  rotate(right_p, right_q, n);
  return true;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 3) jacobi_kernel(JacobiSvd<T> svd) {
  SHARED_ARRAY(T, partial, 32);
  const int64_t m = svd.m, n = svd.n, item = blockIdx.x;
  T* const columns = svd.columns + item * n * m;
  T* const right = svd.right + item * n * n;
  T* const values = svd.values + item * n;
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const int lane = thread & 31, warp = thread >> 5, warps = threads >> 5;

  for (int64_t k = thread; k < n * n; k += threads) right[k] = k / n == k % n ? T(1) : T(0);
  if (svd.wanted && !svd.wanted[item]) return;
  const T largest = largest_magnitude(columns, n * m, partial);
  const bool usable = largest >= 0;
  const T scale = scale_for(largest);
  T squares = 0;
  for (int64_t k = thread; k < n * m; k += threads) {
    columns[k] /= scale;
    squares += columns[k] * columns[k];
  }
  __syncthreads();  // `partial` is free again
  const T length = block_sum(squares, partial);
  const T negligible = rounding<T>() * rounding<T>() * length;

  const int players = int(n + n % 2);
  int busy = usable && n > 1;
  for (int sweep = 0; sweep < kMostSweeps && busy; ++sweep) {
    int turned = 0;
    for (int round = 0; round < players - 1; ++round) {
      for (int k = warp; k < players / 2; k += warps) {
        const ColumnPair pair = pair_of_round(round, k, players);
        const int64_t p = pair.p, q = pair.q;
        if (q >= n) continue;
        turned |=
            turn(columns + p * m, columns + q * m, m, right + p * n, right + q * n, n, negligible);
      }
      __syncthreads();
    }
    busy = __syncthreads_or(turned);
  }
  const bool good = usable && !busy;
  if (!good && thread == 0 && svd.failure) {
    atomicMin(svd.failure, static_cast<unsigned long long>(item));
  }
  for (int64_t j = warp; j < n; j += warps) {
    T* const column = columns + j * m;
    T sum = 0;
    for (int64_t i = lane; i < m; i += 32) sum += column[i] * column[i];
    const T norm = sqrt(warp_sum(sum));
    const bool has_direction = norm * norm > negligible;
    for (int64_t i = lane; i < m; i += 32) {
      column[i] = !good ? T(NAN) : has_direction ? column[i] / norm : T(0);
    }
    for (int64_t i = lane; i < n && !good; i += 32) right[j * n + i] = NAN;
    if (lane == 0) values[j] = !good ? T(NAN) : has_direction ? norm * scale : T(0);
  }
}

// Gives column j, which has no direction of its own, one that is orthogonal to all others: what the
// others leave of the unit vector that they have the least of.
template <class T>
__device__ void complete_column(T* columns, int64_t m, int64_t n, int64_t j, T* partial,
                                int* where) {
  T* const column = columns + j * m;
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const int lane = thread & 31, warp = thread >> 5, warps = threads >> 5;
  for (int64_t i = thread; i < m; i += threads) {  // every thread writes rows of its own
    T share = 0;
    for (int64_t k = 0; k < n; ++k) {
      if (k != j) share += columns[k * m + i] * columns[k * m + i];
    }
    column[i] = share;
  }
  __syncthreads();
  if (thread == 0) {
    int64_t least = 0;
    for (int64_t i = 1; i < m; ++i) {
      if (column[i] < column[least]) least = i;
    }
    *where = int(least);
  }
  __syncthreads();
  const int unit = *where;
  for (int64_t i = thread; i < m; i += threads) column[i] = i == unit ? T(1) : T(0);
  for (int pass = 0; pass < 2; ++pass) {  // once more for what rounding leaves
    for (int64_t first = 0; first < n; first += 32) {
      const int others = n - first < 32 ? int(n - first) : 32;
      __syncthreads();
      for (int k = warp; k < others; k += warps) {
        const T* const other = columns + (first + k) * m;
        T product = 0;
        for (int64_t i = lane; i < m; i += 32) product += other[i] * column[i];
        product = warp_sum(product);
        if (lane == 0) partial[k] = first + k == j ? T(0) : product;
      }
      __syncthreads();
      for (int64_t i = thread; i < m; i += threads) {
        T rest = column[i];
        for (int k = 0; k < others; ++k) rest -= partial[k] * columns[(first + k) * m + i];
        column[i] = rest;
      }
    }
    __syncthreads();
    T squares = 0;
    for (int64_t i = thread; i < m; i += threads) squares += column[i] * column[i];
    const T norm = sqrt(block_sum(squares, partial));
    for (int64_t i = thread; i < m; i += threads) column[i] /= norm;
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 2) completing_kernel(JacobiSvd<T> svd) {
  SHARED_ARRAY(T, partial, 32);
  SHARED_ARRAY(int, where, 1);
  const int64_t m = svd.m, n = svd.n, item = blockIdx.x;
  if (svd.wanted && !svd.wanted[item]) return;
  for (int64_t j = 0; j < n; ++j) {
    if (svd.values[item * n + j] != 0) continue;
    complete_column(svd.columns + item * n * m, m, n, j, partial, where);
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    sort_kernel(const T* __restrict__ values, int64_t n, T* __restrict__ sorted) {
  const T* const from = values + size_t(blockIdx.x) * n;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
    int64_t rank = 0;
    for (int64_t k = 0; k < n; ++k) rank += from[k] > from[j] || (from[k] == from[j] && k < j);
    // NaN is above nothing: all of them are, and each stays where it is.
    sorted[size_t(blockIdx.x) * n + (from[j] == from[j] ? rank : j)] = from[j];
  }
}

template <class T, class Sum>
__global__ void __launch_bounds__(kMostThreads)
    sum_kernel(const T* __restrict__ values, int64_t n, Sum* __restrict__ sums) {
  SHARED_ARRAY(double, partial, 32);
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
    sum += double(values[size_t(blockIdx.x) * n + j]);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) sums[blockIdx.x] = Sum(sum);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    scale_kernel(T* __restrict__ rows, const T* __restrict__ values, int64_t m, int64_t total) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    rows[k] *= values[k / m];
  }
}

__global__ void __launch_bounds__(kMostThreads)
    column_kernel(double* __restrict__ x, const double* __restrict__ sizes, bool divide,
                  int64_t item, int64_t m, int64_t total) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const double size = sizes[k / item * m + k % m];
    if (!divide) x[k] *= size;
    if (divide) x[k] = size == 0 ? 0 : x[k] / size;
  }
}

}  // namespace

template <class T>
void jacobi_svd(const JacobiSvd<T>& svd, cudaStream_t stream) {
  if (svd.m > 0x7fffffff) check(cudaErrorInvalidValue, "launch");
  // A warp for each of the pairs that are turned together.
  launch(jacobi_kernel<T>, dim3(unsigned(svd.count)), threads_for((svd.n + 1) / 2 * 32), 0, stream,
         svd);
  complete_columns(svd, stream);
}

template <class T>
void complete_columns(const JacobiSvd<T>& svd, cudaStream_t stream) {
  launch(completing_kernel<T>, dim3(unsigned(svd.count)), threads_for(svd.m), 0, stream, svd);
}

template <class T>
void sort_descending(const T* values, int64_t count, int64_t n, T* sorted, cudaStream_t stream) {
  launch(sort_kernel<T>, dim3(unsigned(count)), threads_for(n), 0, stream, values, n, sorted);
}

template <class T, class Sum>
void sum_values(const T* values, int64_t count, int64_t n, Sum* sums, cudaStream_t stream) {
  launch(sum_kernel<T, Sum>, dim3(unsigned(count)), threads_for(n), 0, stream, values, n, sums);
}

template <class T>
void scale_rows(T* rows, const T* values, int64_t count, int64_t n, int64_t m,
                cudaStream_t stream) {
  const int64_t total = count * n * m;
  launch(scale_kernel<T>, blocks_for(total), threads_for(total), 0, stream, rows, values, m, total);
}

void scale_columns(double* x, const double* sizes, bool divide, int64_t count, int64_t n, int64_t m,
                   cudaStream_t stream) {
  const int64_t total = count * n * m;
  launch(column_kernel, blocks_for(total), threads_for(total), 0, stream, x, sizes, divide, n * m,
         m, total);
}

LIKEWISE_INSTANTIATE(jacobi_svd);
LIKEWISE_INSTANTIATE(complete_columns);
LIKEWISE_INSTANTIATE(sort_descending);
template decltype(sum_values<float, float>) sum_values<float, float>;
template decltype(sum_values<double, double>) sum_values<double, double>;
LIKEWISE_INSTANTIATE(scale_rows);
template decltype(sum_values<float, double>) sum_values<float, double>;

}  // namespace likewise::cuda

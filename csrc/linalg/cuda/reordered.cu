// A block per row and order. It reads a row of a in order and a row of b in another, which stays in
// the cache of the multiprocessor: 2 n^2 elements per order from the second level cache, 2 us for
// n = 1000 in float32. Condensed matrices are half of that, of which half is read element by
// element.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "linalg/cuda/reordered.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostOrders = 32768;  // of one launch

constexpr int kRowThreads = 64;

inline dim3 threads_of_row(int64_t n) {
  return n < kRowThreads ? threads_for(n) : dim3(kRowThreads);
}

// Where row i begins, were it to begin at column 0.
__device__ int64_t row_start(int64_t i, int64_t n) { return i * (2 * n - i - 1) / 2 - i - 1; }

template <class T>
__global__ void __launch_bounds__(kRowThreads)
    square_kernel(const T* __restrict__ a, const T* __restrict__ b, int64_t n,
                  const int32_t* __restrict__ orders, double* __restrict__ row_sums) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t i = blockIdx.x;
  const int32_t* const order = orders + blockIdx.y * n;
  const T *const row_a = a + i * n, *const row_b = b + order[i] * n;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
    sum += double(row_a[j]) * double(row_b[order[j]]);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) row_sums[blockIdx.y * n + i] = sum;
}

template <class S>
__global__ void __launch_bounds__(kRowThreads)
    condensed_kernel(Condensed<S> a, Condensed<S> b, int64_t n, const int32_t* __restrict__ orders,
                     double* __restrict__ row_sums) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t i = blockIdx.x, start = row_start(i, n);
  const int32_t* const order = orders + blockIdx.y * n;
  const int64_t p = order[i], start_p = row_start(p, n);
  const double shift_a = a.shift ? *a.shift : 0, shift_b = b.shift ? *b.shift : 0;
  double sum = 0;
  for (int64_t j = i + 1 + threadIdx.x; j < n; j += blockDim.x) {
    const int64_t q = order[j], at = p < q ? start_p + q : row_start(q, n) + p;
    sum += (double(a.data[start + j]) - shift_a) * (double(b.data[at]) - shift_b);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) row_sums[blockIdx.y * n + i] = sum;
}

__global__ void __launch_bounds__(kRowThreads)
    sum_kernel(const double* __restrict__ row_sums, int64_t n, double* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const double* const values = row_sums + blockIdx.x * n;
  double sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += values[i];
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

// launch_rows(first, some): those of so many orders.
template <class Rows>
void sum_rows(Rows&& launch_rows, int64_t n, int64_t count, double* row_sums, double* out,
              cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostOrders) {
    const int64_t some = count - first < kMostOrders ? count - first : kMostOrders;
    launch_rows(first, dim3(unsigned(n), unsigned(some)));
    launch(sum_kernel, dim3(unsigned(some)), threads_of_row(n), 0, stream, row_sums + first * n, n,
           out + first);
  }
}

}  // namespace

template <class T>
void reordered_products(const T* a, const T* b, int64_t n, const int32_t* orders, int64_t count,
                        double* row_sums, double* out, cudaStream_t stream) {
  const auto rows = [&](int64_t first, dim3 grid) {
    launch(square_kernel<T>, grid, threads_of_row(n), 0, stream, a, b, n, orders + first * n,
           row_sums + first * n);
  };
  sum_rows(rows, n, count, row_sums, out, stream);
}

template <class S>
void reordered_condensed(const Condensed<S>& a, const Condensed<S>& b, int64_t n,
                         const int32_t* orders, int64_t count, double* row_sums, double* out,
                         cudaStream_t stream) {
  const auto rows = [&](int64_t first, dim3 grid) {
    launch(condensed_kernel<S>, grid, threads_of_row(n), 0, stream, a, b, n, orders + first * n,
           row_sums + first * n);
  };
  sum_rows(rows, n, count, row_sums, out, stream);
}

LIKEWISE_INSTANTIATE(reordered_products);
template decltype(reordered_condensed<double>) reordered_condensed<double>;
template decltype(reordered_condensed<int32_t>) reordered_condensed<int32_t>;

}  // namespace likewise::cuda

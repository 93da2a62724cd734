// What the polar iteration does beside its products. Every element is moved once or twice: bytes
// over bandwidth, on an H100 some 1 ms for 1000 matrices of 512 x 512 in float32 (not measured).

#include "core/cuda/magnitude.cuh"
#include "core/instantiate.h"
#include "linalg/cuda/polar_kernels.h"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    norm_kernel(const T* __restrict__ x, int64_t size, T* __restrict__ out,
                double* __restrict__ norm) {
  SHARED_ARRAY(double, partial, 32);
  const T* const from = x + size_t(blockIdx.x) * size;
  T* const to = out + size_t(blockIdx.x) * size;
  const double largest = largest_magnitude(from, size, partial);
  const bool finite = largest >= 0;
  __syncthreads();
  double squares = 0;
  for (int64_t k = threadIdx.x; k < size && largest > 0; k += blockDim.x) {
    const double value = double(from[k]) / largest;
    squares += value * value;
  }
  const double root = sqrt(block_sum(squares, partial));  // at least 1 where there is a number
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    const double scaled = largest > 0 ? double(from[k]) / largest / root : 0.0;
    to[k] = finite ? T(scaled) : T(NAN);
  }
  if (threadIdx.x == 0) norm[blockIdx.x] = finite ? largest * root : NAN;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    polynomial_kernel(T* __restrict__ z, const T* __restrict__ g, int64_t n, int64_t total, T a,
                      T b) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t within = k % (n * n);
    z[k] += b * g[k] + (within / n == within % n ? a : T(0));
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    inner_kernel(const T* __restrict__ p, const T* __restrict__ x, const double* __restrict__ scale,
                 int64_t size, double* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const size_t begin = size_t(blockIdx.x) * size;
  double sum = 0;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    sum += double(p[begin + k]) * double(x[begin + k]);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[blockIdx.x] = sum * scale[blockIdx.x];
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    unit_kernel(const T* __restrict__ grams, int64_t n, T tolerance, int* __restrict__ flags) {
  const T* const gram = grams + size_t(blockIdx.x) * n * n;
  bool good = true;
  for (int64_t k = threadIdx.x; k < n * n; k += blockDim.x) {
    good = good && fabs(gram[k] - (k / n == k % n ? T(1) : T(0))) <= tolerance;  // NaN is not
  }
  good = __syncthreads_and(good);
  if (threadIdx.x == 0) flags[blockIdx.x] = !good;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    replace_kernel(const T* __restrict__ from, const int* __restrict__ flags, int64_t size,
                   T* __restrict__ to) {
  if (!flags[blockIdx.x]) return;
  const size_t begin = size_t(blockIdx.x) * size;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) to[begin + k] = from[begin + k];
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    symmetric_kernel(T* __restrict__ x, int64_t n, int64_t total) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t i = k % (n * n) / n, j = k % n, other = k + (j - i) * (n - 1);
    if (i < j) x[k] = x[other] = (x[k] + x[other]) / 2;
  }
}

}  // namespace

template <class T>
void divide_by_norm(const T* x, int64_t count, int64_t size, T* out, double* norm,
                    cudaStream_t stream) {
  launch(norm_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, x, size, out, norm);
}

template <class T>
void add_polynomial(T* z, const T* g, int64_t count, int64_t n, T a, T b, cudaStream_t stream) {
  const int64_t total = count * n * n;
  launch(polynomial_kernel<T>, blocks_for(total), threads_for(total), 0, stream, z, g, n, total, a,
         b);
}

template <class T>
void inner_products(const T* p, const T* x, const double* scale, int64_t count, int64_t size,
                    double* out, cudaStream_t stream) {
  launch(inner_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, p, x, scale, size,
         out);
}

template <class T>
void flag_other_than_unit(const T* grams, int64_t count, int64_t n, int* flags,
                          cudaStream_t stream) {
  const double rounding = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  launch(unit_kernel<T>, dim3(unsigned(count)), threads_for(n * n), 0, stream, grams, n,
         T(16 * rounding * std::sqrt(double(n))), flags);
}

template <class T>
void replace_flagged(const T* from, const int* flags, int64_t count, int64_t size, T* to,
                     cudaStream_t stream) {
  launch(replace_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, from, flags, size,
         to);
}

template <class T>
void symmetrise(T* x, int64_t count, int64_t n, cudaStream_t stream) {
  const int64_t total = count * n * n;
  launch(symmetric_kernel<T>, blocks_for(total), threads_for(total), 0, stream, x, n, total);
}

LIKEWISE_INSTANTIATE(divide_by_norm);
LIKEWISE_INSTANTIATE(add_polynomial);
LIKEWISE_INSTANTIATE(flag_other_than_unit);
LIKEWISE_INSTANTIATE(replace_flagged);
LIKEWISE_INSTANTIATE(symmetrise);
LIKEWISE_INSTANTIATE(inner_products);

}  // namespace likewise::cuda

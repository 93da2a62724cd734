// Matrices in units of a power of two and back. Every element is read and written once, and read
// once more for the largest one: bytes over bandwidth.

#include "core/cuda/magnitude.cuh"
#include "core/instantiate.h"
#include "linalg/cuda/unit_scale.h"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    to_unit_kernel(const T* __restrict__ x, int64_t size, T* __restrict__ out,
                   int* __restrict__ exponents) {
  SHARED_ARRAY(double, partial, 32);
  const T* const from = x + size_t(blockIdx.x) * size;
  T* const to = out + size_t(blockIdx.x) * size;
  const double largest = largest_magnitude(from, size, partial);
  const int exponent = largest > 0 ? ilogb(largest) : 0;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    to[k] = T(ldexp(double(from[k]), -exponent));
  }
  if (threadIdx.x == 0) exponents[blockIdx.x] = exponent;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    from_unit_kernel(T* __restrict__ x, int64_t size, const int* __restrict__ exponents,
                     const int* __restrict__ more) {
  const int exponent = exponents[blockIdx.x] + (more ? more[blockIdx.x] : 0);
  T* const item = x + size_t(blockIdx.x) * size;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    item[k] = T(ldexp(double(item[k]), exponent));
  }
}

}  // namespace

template <class T>
void to_unit_scale(const T* x, int64_t count, int64_t size, T* out, int* exponents,
                   cudaStream_t stream) {
  launch(to_unit_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, x, size, out,
         exponents);
}

template <class T>
void from_unit_scale(T* x, int64_t count, int64_t size, const int* exponents, const int* more,
                     cudaStream_t stream) {
  launch(from_unit_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, x, size,
         exponents, more);
}

LIKEWISE_INSTANTIATE(to_unit_scale);
LIKEWISE_INSTANTIATE(from_unit_scale);

}  // namespace likewise::cuda

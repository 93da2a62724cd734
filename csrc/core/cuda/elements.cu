// Reading arrays as they come. Every element is moved once: bytes over bandwidth.

#include "core/cuda/elements.h"
#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

__device__ float widen_half(uint16_t bits) {
  const unsigned sign = unsigned(bits >> 15) << 31, exponent = bits >> 10 & 31u;
  const unsigned fraction = bits & 1023u;
  if (exponent == 0) return (sign ? -1.0f : 1.0f) * ldexpf(float(fraction), -24);
  const unsigned wide = exponent == 31 ? 255u : exponent + 112;
  return __uint_as_float(sign | wide << 23 | fraction << 13);
}

template <class T>
__device__ T read_element(const void* data, ElementType type, int64_t at) {
  switch (type) {
    case ElementType::float32:
      return T(static_cast<const float*>(data)[at]);
    case ElementType::float64:
      return T(static_cast<const double*>(data)[at]);
    case ElementType::float16:
      return T(widen_half(static_cast<const uint16_t*>(data)[at]));
    case ElementType::bfloat16:
      return T(__uint_as_float(unsigned(static_cast<const uint16_t*>(data)[at]) << 16));
    case ElementType::int8:
      return T(static_cast<const int8_t*>(data)[at]);
    case ElementType::int16:
      return T(static_cast<const int16_t*>(data)[at]);
    case ElementType::int32:
      return T(static_cast<const int32_t*>(data)[at]);
    case ElementType::int64:
      return T(static_cast<const int64_t*>(data)[at]);
    case ElementType::uint8:
      return T(static_cast<const uint8_t*>(data)[at]);
    case ElementType::uint16:
      return T(static_cast<const uint16_t*>(data)[at]);
    case ElementType::uint32:
      return T(static_cast<const uint32_t*>(data)[at]);
    case ElementType::uint64:
      return T(static_cast<const uint64_t*>(data)[at]);
  }
  return T(0);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    copy_kernel(const __grid_constant__ DeviceRef in, int64_t size, T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    int64_t rest = k, at = 0;
    for (int axis = in.ndim - 1; axis >= 0; --axis) {
      at += rest % in.shape[axis] * in.strides[axis];
      rest /= in.shape[axis];
    }
    out[k] = read_element<T>(in.data, in.type, at);
  }
}

// As many values as go into the 4096 bytes of arguments that every architecture takes, and some.
template <class T>
struct Parcel {
  static constexpr int kMost = 3840 / sizeof(T);
  T values[kMost];
};

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    send_kernel(const __grid_constant__ Parcel<T> parcel, int size, T* __restrict__ out) {
  for (int k = int(threadIdx.x); k < size; k += int(blockDim.x)) out[k] = parcel.values[k];
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    nonfinite_kernel(const T* __restrict__ x, int64_t size, unsigned long long* first) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const T value = x[k];
    if (value - value == T(0)) continue;
    atomicMin(first, static_cast<unsigned long long>(k));
    return;  // what this thread meets later is later
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    infinite_kernel(const T* __restrict__ x, int64_t size, unsigned long long* count) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    if (fabs(x[k]) == T(INFINITY)) atomicAdd(count, 1ull);
  }
}

}  // namespace

template <class T>
void copy_elements(const DeviceRef& in, T* out, cudaStream_t stream) {
  int64_t size = 1;
  for (int axis = 0; axis < in.ndim; ++axis) size *= in.shape[axis];
  if (size == 0) return;
  launch(copy_kernel<T>, blocks_for(size), threads_for(size), 0, stream, in, size, out);
}

template <class T>
void send_values(const T* values, int64_t size, T* out, cudaStream_t stream) {
  for (int64_t first = 0; first < size; first += Parcel<T>::kMost) {
    const int64_t rest = size - first;
    const int some = int(rest < Parcel<T>::kMost ? rest : Parcel<T>::kMost);
    Parcel<T> parcel = {};
    for (int k = 0; k < some; ++k) parcel.values[k] = values[first + k];
    launch(send_kernel<T>, dim3(1), threads_for(some), 0, stream, parcel, some, out + first);
  }
}

template <class T>
void find_nonfinite(const T* x, int64_t size, unsigned long long* first, cudaStream_t stream) {
  if (size == 0) return;
  launch(nonfinite_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, size, first);
}

template <class T>
void count_infinite(const T* x, int64_t size, int64_t* count, cudaStream_t stream) {
  if (size == 0) return;
  launch(infinite_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, size,
         reinterpret_cast<unsigned long long*>(count));
}

LIKEWISE_INSTANTIATE(copy_elements);
LIKEWISE_INSTANTIATE(find_nonfinite);
LIKEWISE_INSTANTIATE(count_infinite);
template decltype(send_values<int32_t>) send_values<int32_t>;
template decltype(send_values<double>) send_values<double>;
template decltype(copy_elements<int64_t>) copy_elements<int64_t>;

}  // namespace likewise::cuda

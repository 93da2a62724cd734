#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/view.h"

namespace likewise::cuda {

// Types that arrays arrive in; the kernels compute with the first two.
enum class ElementType : int {
  float32,
  float64,
  float16,
  bfloat16,
  int8,
  int16,
  int32,
  int64,
  uint8,  // and bool
  uint16,
  uint32,
  uint64
};

// That of T, one of the two.
template <class T>
constexpr ElementType element_type() {
  return sizeof(T) == 4 ? ElementType::float32 : ElementType::float64;
}

// An array of any layout in device memory. Strides count elements.
struct DeviceRef {
  const void* data;
  ElementType type;
  int ndim;
  int64_t shape[kMaxDims];
  int64_t strides[kMaxDims];
};

// out = in, contiguous in C order.
template <class T>
void copy_elements(const DeviceRef& in, T* out, cudaStream_t stream);

// out = values of the host, which may go away at once: they travel as arguments of kernels, without
// a wait. For few values.
template <class T>
void send_values(const T* values, int64_t size, T* out, cudaStream_t stream);

// Lowers *first to the position (in C order) of the first element that is NaN or infinite. The
// array is contiguous.
template <class T>
void find_nonfinite(const T* x, int64_t size, unsigned long long* first, cudaStream_t stream);

// *count += number of infinite elements of a contiguous array.
template <class T>
void count_infinite(const T* x, int64_t size, int64_t* count, cudaStream_t stream);

}  // namespace likewise::cuda

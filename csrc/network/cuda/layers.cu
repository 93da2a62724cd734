// Layers of networks: every element is read and written once, bytes over bandwidth where what a
// unit has lies together.

#include "core/cuda/kernel.cuh"
#include "network/cuda/layers.h"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    take_kernel(const T* __restrict__ in, int64_t size, int64_t units, int64_t inner,
                const int64_t* __restrict__ order, T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const int64_t row = k / inner, unit = row % units, from = order[unit];
    const int64_t source = row - unit + from;
    out[k] = from < 0 ? T(NAN) : in[source * inner + (k - row * inner)];
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    mean_kernel(const T* __restrict__ a, const T* __restrict__ b, int64_t size, double share,
                T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = T((1 - share) * double(a[k]) + share * double(b[k]));
  }
}

}  // namespace

template <class T>
cudaError_t take_units(const T* in, int64_t outer, int64_t units, int64_t inner,
                       const int64_t* order, T* out, cudaStream_t stream) {
  const int64_t size = outer * units * inner;
  if (size == 0) return cudaSuccess;
  return launch(take_kernel<T>, blocks_for(size), threads_for(size), 0, stream, in, size, units,
                inner, order, out);
}

template <class T>
cudaError_t weighted_mean(const T* a, const T* b, int64_t size, double share, T* out,
                          cudaStream_t stream) {
  if (size == 0) return cudaSuccess;
  return launch(mean_kernel<T>, blocks_for(size), threads_for(size), 0, stream, a, b, size, share,
                out);
}

#define LIKEWISE_INSTANTIATE(T)                                                               \
  template cudaError_t take_units<T>(const T*, int64_t, int64_t, int64_t, const int64_t*, T*, \
                                     cudaStream_t);                                           \
  template cudaError_t weighted_mean<T>(const T*, const T*, int64_t, double, T*, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

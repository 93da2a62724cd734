// Element by element: what is read and written, over bandwidth.

#include "core/cuda/columns.cuh"
#include "core/cuda/magnitude.cuh"
#include "rsa/cuda/precision.h"

namespace likewise::cuda {
namespace {

// The first element of this thread, and how far it is to its next one.
__device__ int64_t first_element() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ int64_t step() { return int64_t(gridDim.x) * blockDim.x; }

__global__ void __launch_bounds__(kMostThreads)
    asymmetry_kernel(const double* __restrict__ a, int64_t d, int64_t* different) {
  unsigned long long found = 0;
  for (int64_t k = first_element(); k < d * d; k += step()) {
    const double other = a[k % d * d + k / d];
    found += !(fabs(a[k] - other) <= 1e-8 + 1e-6 * fabs(other));
  }
  if (found > 0) atomicAdd(reinterpret_cast<unsigned long long*>(different), found);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    subtract_kernel(const T* __restrict__ x, int64_t count, int64_t rows, int64_t cols,
                    const double* __restrict__ units, int64_t repeats, double* __restrict__ out) {
  const int64_t size = rows * cols;
  for (int64_t k = first_element(); k < count * size; k += step()) {
    const double unit = units ? units[k / size / repeats] : 1;
    out[k] = double(x[k]) * unit - double(x[k / size * size + k % cols]) * unit;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    unit_kernel(const double* __restrict__ spreads, int64_t size, double* __restrict__ units) {
  SHARED_ARRAY(double, partial, 32);
  const double largest = largest_magnitude(spreads + blockIdx.x * size, size, partial);
  if (threadIdx.x == 0) units[blockIdx.x] = largest > 0 ? unit_for(largest) : 1;
}

__global__ void __launch_bounds__(kMostThreads)
    repeat_mean_kernel(const double* __restrict__ x, int64_t count, int64_t repeats, int64_t size,
                       double* __restrict__ out) {
  for (int64_t k = first_element(); k < count * size; k += step()) {
    const double* const first = x + k / size * repeats * size + k % size;
    double sum = 0;
    for (int64_t repeat = 0; repeat < repeats; ++repeat) sum += first[repeat * size];
    out[k] = sum / double(repeats);
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill
    across_kernel(const double* __restrict__ within, const double* __restrict__ of_mean,
                  const double* __restrict__ units, int64_t count, int64_t repeats, int64_t size,
                  T* __restrict__ out) {
  const double all = double(repeats);
  for (int64_t k = first_element(); k < count * size; k += step()) {
    const double* const first = within + k / size * repeats * size + k % size;
    double sum = 0;
    for (int64_t repeat = 0; repeat < repeats; ++repeat) sum += first[repeat * size];
    const double unit = units[k / size];
    out[k] = T((all * all * of_mean[k] - sum) / (all * (all - 1)) / unit / unit);
  }
}

}  // namespace

cudaError_t count_asymmetric(const double* a, int64_t d, int64_t* different, cudaStream_t stream) {
  return launch(asymmetry_kernel, blocks_for(d * d), threads_for(d * d), 0, stream, a, d,
                different);
}

template <class T>
cudaError_t subtract_first(const T* x, int64_t count, int64_t rows, int64_t cols,
                           const double* units, int64_t repeats, double* out, cudaStream_t stream) {
  const int64_t size = count * rows * cols;
  return launch(subtract_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, count, rows,
                cols, units, repeats, out);
}

cudaError_t units_of_spreads(const double* spreads, int64_t count, int64_t size, double* units,
                             cudaStream_t stream) {
  return launch(unit_kernel, dim3(unsigned(count)), threads_for(size), 0, stream, spreads, size,
                units);
}

cudaError_t mean_of_repeats(const double* x, int64_t count, int64_t repeats, int64_t size,
                            double* out, cudaStream_t stream) {
  return launch(repeat_mean_kernel, blocks_for(count * size), threads_for(count * size), 0, stream,
                x, count, repeats, size, out);
}

template <class T>
cudaError_t across_repeats(const double* within, const double* of_mean, const double* units,
                           int64_t count, int64_t repeats, int64_t size, T* out,
                           cudaStream_t stream) {
  return launch(across_kernel<T>, blocks_for(count * size), threads_for(count * size), 0, stream,
                within, of_mean, units, count, repeats, size, out);
}

#define LIKEWISE_INSTANTIATE(T)                                                                \
  template cudaError_t subtract_first<T>(const T*, int64_t, int64_t, int64_t, const double*,   \
                                         int64_t, double*, cudaStream_t);                      \
  template cudaError_t across_repeats<T>(const double*, const double*, const double*, int64_t, \
                                         int64_t, int64_t, T*, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

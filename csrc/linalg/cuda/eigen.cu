// What surrounds eigenvalue decompositions: matrices and vectors are read or written once, bytes
// over bandwidth.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "linalg/cuda/eigen_kernels.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    clear_kernel(double* __restrict__ matrices, int64_t size, int* __restrict__ unusable) {
  double* const matrix = matrices + blockIdx.x * size;
  bool finite = true;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    finite = finite && fabs(matrix[k]) < INFINITY;
  }
  finite = __syncthreads_and(finite);
  for (int64_t k = threadIdx.x; k < size && !finite; k += blockDim.x) matrix[k] = 0;
  if (threadIdx.x == 0) unusable[blockIdx.x] = !finite;
}

__global__ void __launch_bounds__(kMostThreads) unsolved_kernel(Unsolved u) {
  const int64_t item = blockIdx.x, n = u.n, size = n * n;
  if (u.unusable[item] == 0 && u.findings[item] == 0) return;
  double* const values = u.values + item * n;
  double* const vectors = u.vectors + item * size;
  for (int64_t k = threadIdx.x; k < n; k += blockDim.x) values[k] = NAN;
  for (int64_t k = threadIdx.x; k < size && u.vectors; k += blockDim.x) {
    vectors[k] = !u.identity ? NAN : k / n == k % n ? 1 : 0;
  }
  if (threadIdx.x == 0 && u.failure && !u.identity) {
    atomicMin(u.failure, static_cast<unsigned long long>(u.first + item));
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    descending_kernel(const double* __restrict__ values, int64_t n, int64_t total, bool roots,
                      T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const double value = values[k / n * n + (n - 1 - k % n)];
    out[k] = T(value < 0 ? 0 : roots ? sqrt(value) : value);
  }
}

}  // namespace

void clear_unusable(double* matrices, int64_t count, int64_t n, int* unusable,
                    cudaStream_t stream) {
  launch(clear_kernel, dim3(unsigned(count)), threads_for(n * n), 0, stream, matrices, n * n,
         unusable);
}

void replace_unsolved(const Unsolved& unsolved, cudaStream_t stream) {
  launch(unsolved_kernel, dim3(unsigned(unsolved.count)), threads_for(unsolved.n * unsolved.n), 0,
         stream, unsolved);
}

template <class T>
void descending(const double* values, int64_t count, int64_t n, bool roots, T* out,
                cudaStream_t stream) {
  const int64_t total = count * n;
  launch(descending_kernel<T>, blocks_for(total), threads_for(total), 0, stream, values, n, total,
         roots, out);
}

LIKEWISE_INSTANTIATE(descending);

}  // namespace likewise::cuda

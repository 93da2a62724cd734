// Sums of partial products: every product is read once, bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "linalg/cuda/products.h"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    add_kernel(const T* __restrict__ products, int64_t parts, int64_t size,
               double* __restrict__ total) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    double sum = total[k];
    for (int64_t part = 0; part < parts; ++part) sum += double(products[part * size + k]);
    total[k] = sum;
  }
}

}  // namespace

template <class T>
void add_products(const T* products, int64_t parts, int64_t size, double* total,
                  cudaStream_t stream) {
  launch(add_kernel<T>, blocks_for(size), threads_for(size), 0, stream, products, parts, size,
         total);
}

LIKEWISE_INSTANTIATE(add_products);

}  // namespace likewise::cuda

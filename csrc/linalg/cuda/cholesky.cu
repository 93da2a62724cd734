// One panel of 32 columns: every block solves the triangle on the diagonal for itself, 11000
// operations, and then a row per thread. Products of earlier columns, nearly all of the d^3 / 3
// operations, come from cuBLAS; what remains is two launches per panel, 0.2 ms for d = 512.

#include "core/cuda/kernel.cuh"
#include "linalg/cuda/cholesky.h"

namespace likewise::cuda {
namespace {

constexpr int kPanel = int(kCholeskyPanel);

__global__ void __launch_bounds__(kMostThreads)
    panel_kernel(const double* __restrict__ all, const double* __restrict__ products, int64_t d,
                 int64_t first, double* __restrict__ out, int64_t* indefinite) {
  SHARED_ARRAY(double, triangle, kPanel*(kPanel + 1));  // rows of L on the diagonal
  SHARED_ARRAY(double, roots, kPanel);
  const size_t item = blockIdx.y;
  const int width = int(d - first < kPanel ? d - first : kPanel), row = int(threadIdx.x);
  const double* const a = all + item * d * d;
  double* const l = out + item * d * d;
  const double* const earlier = products ? products + item * (d - first) * width : nullptr;
  // Element (first + i, first + j) without the part of earlier columns.
  const auto rest = [&](int64_t i, int j) {
    return a[(first + i) * d + first + j] - (earlier ? earlier[i * width + j] : 0);
  };
  const auto at = [](int i, int j) { return i * (kPanel + 1) + j; };
  for (int k = 0; k < width; ++k) {
    const bool below = row >= k && row < width;
    double value = below ? rest(row, k) : 0;
    for (int t = 0; t < k && below; ++t) value -= triangle[at(row, t)] * triangle[at(k, t)];
    if (row == k) roots[k] = sqrt(value);
    __syncthreads();
    if (below) triangle[at(row, k)] = value / roots[k];
    __syncthreads();
  }
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= d - first) return;
  double* const solved = l + (first + i) * d + first;
  for (int k = 0; k < width && k <= i; ++k) {
    if (i < width) {
      solved[k] = triangle[at(int(i), k)];
      continue;
    }
    double value = rest(i, k);
    for (int t = 0; t < k; ++t) value -= solved[t] * triangle[at(k, t)];
    solved[k] = value / roots[k];
  }
  if (indefinite && i < width && !(roots[i] > 0)) {
    atomicAdd(reinterpret_cast<unsigned long long*>(indefinite + item), 1ull);
  }
}

}  // namespace

cudaError_t cholesky_panel(const double* a, const double* products, int64_t count, int64_t d,
                           int64_t first, double* l, int64_t* indefinite, cudaStream_t stream) {
  const int64_t rows = d - first;
  const dim3 grid(unsigned((rows + kMostThreads - 1) / kMostThreads), unsigned(count));
  return launch(panel_kernel, grid, threads_for(rows), 0, stream, a, products, d, first, l,
                indefinite);
}

}  // namespace likewise::cuda

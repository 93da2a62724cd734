#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// Inner products of symmetric matrices (n x n), the second with rows and columns in another order o
// of `count` orders (count x n). Sums run in double, always in the same order.

namespace likewise::cuda {

// out[k] = sum_ij a_ij b_(o_i o_j). row_sums (count x n) is work.
template <class T>
void reordered_products(const T* a, const T* b, int64_t n, const int32_t* orders, int64_t count,
                        double* row_sums, double* out, cudaStream_t stream);

// Elements (i, j), i < j, of a symmetric matrix row by row, standing for themselves minus the shift
// (null: 0).
template <class S>
struct Condensed {
  const S* data;
  const double* shift;
};

// The same over i < j.
template <class S>
void reordered_condensed(const Condensed<S>& a, const Condensed<S>& b, int64_t n,
                         const int32_t* orders, int64_t count, double* row_sums, double* out,
                         cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>

#include "core/isa.h"

// Loops over contiguous rows, compiled once per instruction set (row_kernels.simd.cpp).

namespace likewise {

template <class T>
struct RowKernels {
  // sum[j] += sum of column j less origin[j] in double; low[j], high[j] widened to its smallest and
  // largest entry.
  void (*column_statistics)(const T* x, int64_t ld, int64_t rows, int64_t cols, const T* origin,
                            double* sum, T* low, T* high);
  // out[i, j] = ((x[i, j] - mean[j]) - rest[j]) * scale
  void (*centre)(const T* x, int64_t ld, int64_t rows, int64_t cols, const T* mean, const T* rest,
                 T scale, T* out, int64_t out_ld);
  // norms[i] = sum over j of x[i, j]^2, in double.
  void (*squared_norms)(const T* x, int64_t ld, int64_t rows, int64_t cols, double* norms);
  // Sum of a[k] * b[k]; blocks of a few hundred in T, the rest in double.
  double (*dot)(const T* a, const T* b, int64_t count);
  // out[i * ldo + j] += sum over k < length of a[i * lda + k] * b[j * ldb + k], for i < rows_a and
  // j < rows_b with j <= i + diagonal (others may be added, too). Sums as in dot. Nothing is
  // packed: for rows that are far longer than they are many.
  void (*add_products)(const T* a, int64_t lda, int64_t rows_a, const T* b, int64_t ldb,
                       int64_t rows_b, int64_t length, int64_t diagonal, double* out, int64_t ldo);
};

LIKEWISE_KERNELS(RowKernels, row_kernels)

}  // namespace likewise

#include "linalg/cuda/cholesky.h"

#include <algorithm>

#include "core/cuda/context.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {

void cholesky(const Context& context, const double* a, int64_t count, int64_t d, double* l,
              int64_t* indefinite) {
  const int64_t width = std::min(d, kCholeskyPanel), size = d * d;
  double* const products = context.temporary<double>(size_t(count * d * width));
  check(cudaMemsetAsync(l, 0, size_t(count * size) * sizeof *l, context.stream), "memset");
  for (int64_t first = 0; first < d; first += width) {
    const int64_t rows = d - first, cols = std::min(width, rows);
    const Matrices<const double> below{l + first * d, d, size};
    if (first > 0) {
      gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, rows, cols, first,
                   1.0, below, below, {products, cols, rows * cols}, count);
    }
    check(cholesky_panel(a, first > 0 ? products : nullptr, count, d, first, l, indefinite,
                         context.stream),
          "launch");
  }
}

}  // namespace likewise::cuda

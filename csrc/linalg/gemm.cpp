#include <algorithm>

#include "core/parallel.h"
#include "linalg/blas.h"
#include "linalg/linalg.h"

extern "C" {
void scipy_openblas_set_num_threads(int);
const char* scipy_openblas_get_config();
}

namespace likewise {
namespace {

// BLAS does not look for interrupts: what it does at once takes some tenths of a second at most.
constexpr double kMostOperations = 2e9;
constexpr int64_t kLeastSide = 64;  // smaller blocks would only be slower

bool is_short(int64_t rows, int64_t cols, int64_t k) {
  return 2.0 * double(rows) * double(cols) * double(k) <= kMostOperations ||
         std::max(rows, cols) <= kLeastSide;
}

}  // namespace

// Row-major C = A B is column-major C' = B' A': operands swap places, flags stay with them.
template <class T>
void gemm(Op op_a, Op op_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  const char ta = op_a == Op::none ? 'N' : 'T', tb = op_b == Op::none ? 'N' : 'T';
  blas::narrow(std::max(m, n));
  const blas::Int ki = blas::narrow(k);
  const blas::Int ldai = blas::narrow(lda), ldbi = blas::narrow(ldb), ldci = blas::narrow(ldc);
  int64_t rows = m, cols = n;
  while (!is_short(rows, cols, k)) (rows > cols ? rows : cols) /= 2;
  for (int64_t i = 0; i < m; i += rows) {
    const blas::Int mi = blas::narrow(std::min(rows, m - i));
    const T* left = a + (op_a == Op::none ? i * lda : i);
    for (int64_t j = 0; j < n; j += cols) {
      const blas::Int ni = blas::narrow(std::min(cols, n - j));
      const T* right = b + (op_b == Op::none ? j : j * ldb);
      blas::gemm<T>(&tb, &ta, &ni, &mi, &ki, &alpha, right, &ldbi, left, &ldai, &beta,
                    c + i * ldc + j, &ldci);
      if (rows < m || cols < n) poll_interrupt();
    }
  }
}

// The row-major lower triangle is the column-major upper one.
template <class T>
void gram(Op op_a, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, T beta, T* c,
          int64_t ldc) {
  const char uplo = 'U', trans = op_a == Op::none ? 'T' : 'N';
  blas::narrow(n);
  const blas::Int ki = blas::narrow(k), ldai = blas::narrow(lda), ldci = blas::narrow(ldc);
  const Op other = op_a == Op::none ? Op::transpose : Op::none;
  int64_t rows = n;
  while (!is_short(rows, rows, k)) rows /= 2;
  for (int64_t i = 0; i < n; i += rows) {
    const int64_t count = std::min(rows, n - i);
    const blas::Int ni = blas::narrow(count);
    const T* from = a + (op_a == Op::none ? i * lda : i);
    gemm<T>(op_a, other, count, i, k, alpha, from, lda, a, lda, beta, c + i * ldc, ldc);
    blas::syrk<T>(&uplo, &trans, &ni, &ki, &alpha, from, &ldai, &beta, c + i * ldc + i, &ldci);
    if (rows < n) poll_interrupt();
  }
}

template <class T>
void symmetrize(int64_t n, T* c, int64_t ldc) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) c[j * ldc + i] = c[i * ldc + j];
  }
}

void use_one_blas_thread() { scipy_openblas_set_num_threads(1); }

const char* blas_description() { return scipy_openblas_get_config(); }

#define LIKEWISE_INSTANTIATE(T)                                                            \
  template void gemm<T>(Op, Op, int64_t, int64_t, int64_t, T, const T*, int64_t, const T*, \
                        int64_t, T, T*, int64_t);                                          \
  template void gram<T>(Op, int64_t, int64_t, T, const T*, int64_t, T, T*, int64_t);       \
  template void symmetrize<T>(int64_t, T*, int64_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

#include "linalg/cpu/blas.h"
#include "linalg/linalg.h"

extern "C" {
void scipy_openblas_set_num_threads(int);
const char* scipy_openblas_get_config();
}

namespace likewise {

// Row-major C = A B is column-major C' = B' A': operands swap places, flags stay with them.
template <class T>
void gemm(Op op_a, Op op_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  if (m == 0 || n == 0) return;
  const char ta = op_a == Op::none ? 'N' : 'T', tb = op_b == Op::none ? 'N' : 'T';
  const blas::Int mi = blas::narrow(m), ni = blas::narrow(n), ki = blas::narrow(k);
  const blas::Int ldai = blas::narrow(lda), ldbi = blas::narrow(ldb), ldci = blas::narrow(ldc);
  blas::gemm<T>(&tb, &ta, &ni, &mi, &ki, &alpha, b, &ldbi, a, &ldai, &beta, c, &ldci);
}

// The row-major lower triangle is the column-major upper one.
template <class T>
void gram(Op op_a, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, T beta, T* c,
          int64_t ldc) {
  if (n == 0) return;
  const char uplo = 'U', trans = op_a == Op::none ? 'T' : 'N';
  const blas::Int ni = blas::narrow(n), ki = blas::narrow(k);
  const blas::Int ldai = blas::narrow(lda), ldci = blas::narrow(ldc);
  blas::syrk<T>(&uplo, &trans, &ni, &ki, &alpha, a, &ldai, &beta, c, &ldci);
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

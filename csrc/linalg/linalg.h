#pragma once

#include <cstdint>

// Dense linear algebra that every topic uses, float and double, over the vendored OpenBLAS.
// Matrices are row-major with a leading dimension `ld` (elements from one row to the next).
// Sizes are 64-bit here and checked where LAPACK wants 32 bits (InputError if too large).
// Every routine runs on the calling thread alone; threads come from core/parallel.h outside.
// Nothing allocates results; workspaces are allocated inside.

namespace likewise {

enum class Op { none, transpose };

// C (m x n) = alpha * op(A) (m x k) * op(B) (k x n) + beta * C. beta = 0 ignores what C held.
template <class T>
void gemm(Op op_a, Op op_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
          const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// C (n x n) = alpha * op(A) op(A)' + beta * C; only the LOWER triangle (row-major) is written.
// op_a = none: A is n x k. op_a = transpose: A is k x n and C = alpha * A'A.
template <class T>
void gram(Op op_a, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, T beta, T* c,
          int64_t ldc);

// Copies the lower triangle of C (n x n) onto its upper one.
template <class T>
void symmetrize(int64_t n, T* c, int64_t ldc);

// All min(m, n) singular values of A (m x n, destroyed), descending.
// gesdd, and gesvd if that does not converge; false if neither does or A holds a NaN or infinity
// (s is then all NaN).
template <class T>
[[nodiscard]] bool singular_values(int64_t m, int64_t n, T* a, int64_t lda, T* s);

// Thin SVD A = U diag(s) Vt with U (m x r, ld r), Vt (r x n, ld n), r = min(m, n). A is destroyed.
// Drivers and failure as above.
template <class T>
[[nodiscard]] bool svd(int64_t m, int64_t n, T* a, int64_t lda, T* s, T* u, T* vt);

// Eigenvalues (ascending) of symmetric A (n x n, lower triangle read, destroyed); with `vectors`
// row i of A becomes the eigenvector of w[i]. syevd, then syev; failure as above.
template <class T>
[[nodiscard]] bool symmetric_eigen(int64_t n, T* a, int64_t lda, T* w, bool vectors);

// The triangular root of A (m x n, m <= n, destroyed): L (m x m, ld m, zeros above the diagonal)
// with A = L Q, Q having orthonormal rows. Singular values and all inner products A B' with
// B = M Q are kept, which makes it the exact stand-in for A when n is large.
template <class T>
void triangular_root(int64_t m, int64_t n, T* a, int64_t lda, T* l);

// b becomes A^-1 b, for symmetric A (n x n, lower triangle read, destroyed); false where A is not
// positive definite.
template <class T>
[[nodiscard]] bool solve_positive(int64_t n, T* a, T* b);

// Pins the vendored OpenBLAS to one thread; its own description for build_config().
void use_one_blas_thread();
const char* blas_description();

}  // namespace likewise

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "core/parallel.h"
#include "linalg/blas.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

using blas::Int;

// Copies count values and says whether all are finite: x * 0 is NaN for the others.
template <class T>
bool copy_finite(const T* from, int64_t count, T* to) {
  T zero = 0;
  for (int64_t i = 0; i < count; ++i) {
    to[i] = from[i];
    zero += from[i] * T(0);
  }
  return zero == T(0);
}

// What a failed decomposition leaves behind.
template <class T>
bool failed(int64_t count, T* values) {
  std::fill_n(values, count, std::numeric_limits<T>::quiet_NaN());
  return false;
}

// LAPACK does not look for interrupts. Decompositions from this product of m, n and min(m, n) on,
// about 0.1 s, run on threads of their own, over memory of their own.
constexpr double kLongProduct = 5e7;

bool is_long(int64_t m, int64_t n) {
  return double(m) * double(n) * double(std::min(m, n)) > kLongProduct;
}

template <class T>
std::vector<T> gathered(int64_t m, int64_t n, const T* a, int64_t lda) {
  std::vector<T> out(size_t(m * n));
  for (int64_t i = 0; i < m; ++i) std::copy_n(a + i * lda, n, out.data() + i * n);
  return out;
}

// A row-major m x n matrix is its transpose in Fortran's eyes, A' = V S U': LAPACK gets n x m, and
// what it calls U and VT are our V and U', which in row-major memory are exactly our Vt and U.
template <class T>
bool lapack_svd(char job, int64_t m, int64_t n, T* a, int64_t lda, T* s, T* u, T* vt) {
  const Int fm = blas::narrow(n), fn = blas::narrow(m), ld = blas::narrow(lda);
  const Int r = std::min(fm, fn), one = 1;
  const bool vectors = job != 'N';
  const Int ldu = vectors ? fm : one, ldvt = vectors ? r : one;

  // gesdd destroys A even when it fails: the slower driver needs a copy.
  // Given a NaN or infinity, LAPACK refuses the argument or loops: no driver would help.
  std::vector<T> saved(size_t(m) * n);
  bool finite = true;
  for (int64_t i = 0; i < m; ++i) finite &= copy_finite(a + i * lda, n, saved.data() + i * n);
  if (!finite) return failed(r, s);

  std::vector<Int> iwork(8 * size_t(r));
  Int info = 0, query = -1;
  T size = 0;
  blas::gesdd<T>(&job, &fm, &fn, a, &ld, s, vt, &ldu, u, &ldvt, &size, &query, iwork.data(), &info);
  std::vector<T> work(static_cast<size_t>(size));
  Int lwork = static_cast<Int>(work.size());
  blas::gesdd<T>(&job, &fm, &fn, a, &ld, s, vt, &ldu, u, &ldvt, work.data(), &lwork, iwork.data(),
                 &info);
  if (info < 0) throw InternalError("gesdd refused argument " + std::to_string(-info));
  if (info == 0 && s[0] == s[0]) return true;

  blas::gesvd<T>(&job, &job, &fm, &fn, saved.data(), &fm, s, vt, &ldu, u, &ldvt, &size, &query,
                 &info);
  work.resize(static_cast<size_t>(size));
  lwork = static_cast<Int>(work.size());
  blas::gesvd<T>(&job, &job, &fm, &fn, saved.data(), &fm, s, vt, &ldu, u, &ldvt, work.data(),
                 &lwork, &info);
  if (info == 0 && s[0] == s[0]) return true;
  return failed(r, s);
}

template <class T>
bool any_svd(char job, int64_t m, int64_t n, T* a, int64_t lda, T* s, T* u, T* vt) {
  if (m == 0 || n == 0) return true;
  if (!is_long(m, n)) return lapack_svd<T>(job, m, n, a, lda, s, u, vt);
  struct Problem {
    std::vector<T> a, s, u, vt;
    bool solved = false;
  };
  const int64_t r = std::min(m, n);
  const auto own = std::make_shared<Problem>();
  own->a = gathered(m, n, a, lda);
  own->s.resize(size_t(r));
  own->u.resize(u ? size_t(m * r) : 0);
  own->vt.resize(vt ? size_t(r * n) : 0);
  run_interruptibly([=] {
    own->solved = lapack_svd<T>(job, m, n, own->a.data(), n, own->s.data(), u ? own->u.data() : u,
                                vt ? own->vt.data() : vt);
  });
  std::copy(own->s.begin(), own->s.end(), s);
  std::copy(own->u.begin(), own->u.end(), u);
  std::copy(own->vt.begin(), own->vt.end(), vt);
  return own->solved;
}

// Row-major lower is Fortran's upper; Fortran's eigenvector columns are our rows.
template <class T>
bool lapack_eigen(int64_t n, T* a, int64_t lda, T* w, bool vectors) {
  const char job = vectors ? 'V' : 'N', uplo = 'U';
  const Int ni = blas::narrow(n), ld = blas::narrow(lda);
  std::vector<T> saved(size_t(n) * n);
  // Given a NaN, syevd may report success and numbers that look fine.
  bool finite = true;
  for (int64_t i = 0; i < n; ++i) finite &= copy_finite(a + i * lda, i + 1, saved.data() + i * n);
  if (!finite) return failed(n, w);

  Int info = 0, query = -1, isize = 0;
  T size = 0;
  blas::syevd<T>(&job, &uplo, &ni, a, &ld, w, &size, &query, &isize, &query, &info);
  std::vector<T> work(static_cast<size_t>(size));
  std::vector<Int> iwork(isize);
  Int lwork = static_cast<Int>(work.size());
  blas::syevd<T>(&job, &uplo, &ni, a, &ld, w, work.data(), &lwork, iwork.data(), &isize, &info);
  if (info < 0) throw InternalError("syevd refused argument " + std::to_string(-info));
  if (info == 0) return true;

  for (int64_t i = 0; i < n; ++i) std::copy_n(saved.data() + i * n, i + 1, a + i * lda);
  blas::syev<T>(&job, &uplo, &ni, a, &ld, w, work.data(), &lwork, &info);
  if (info == 0) return true;
  return failed(n, w);
}

}  // namespace

template <class T>
bool singular_values(int64_t m, int64_t n, T* a, int64_t lda, T* s) {
  return any_svd<T>('N', m, n, a, lda, s, nullptr, nullptr);
}

template <class T>
bool svd(int64_t m, int64_t n, T* a, int64_t lda, T* s, T* u, T* vt) {
  return any_svd<T>('S', m, n, a, lda, s, u, vt);
}

template <class T>
bool symmetric_eigen(int64_t n, T* a, int64_t lda, T* w, bool vectors) {
  if (n == 0) return true;
  if (!is_long(n, n)) return lapack_eigen<T>(n, a, lda, w, vectors);
  struct Problem {
    std::vector<T> a, w;
    bool solved = false;
  };
  const auto own = std::make_shared<Problem>();
  own->a = gathered(n, n, a, lda);
  own->w.resize(size_t(n));
  run_interruptibly(
      [=] { own->solved = lapack_eigen<T>(n, own->a.data(), n, own->w.data(), vectors); });
  std::copy(own->w.begin(), own->w.end(), w);
  for (int64_t i = 0; i < n && vectors; ++i) std::copy_n(own->a.data() + i * n, n, a + i * lda);
  return own->solved;
}

// Fortran sees A' (n x m) = Q R, so A = R' Q': R in Fortran's upper triangle is L in our lower one.
template <class T>
void triangular_root(int64_t m, int64_t n, T* a, int64_t lda, T* l) {
  if (m > n) throw InternalError("triangular_root wants m <= n");
  if (m == 0) return;
  const Int ld = blas::narrow(lda);
  const char left = 'L', transpose = 'T';
  constexpr int64_t kPanel = 32;           // columns
  constexpr double kMostOperations = 1e9;  // between two looks
  constexpr int64_t kMostBlock = 64;       // of ormqr, which wants this workspace
  std::vector<T> tau(static_cast<size_t>(m)), work(size_t(kMostBlock * (m + kMostBlock + 1)));
  const Int lwork = static_cast<Int>(work.size());
  Int info = 0;
  // What geqrf does, with a look for interrupts between its panels.
  for (int64_t j = 0; j < m; j += kPanel) {
    const int64_t width = std::min(kPanel, m - j);
    T* const panel = a + j * lda + j;
    const Int rows = blas::narrow(n - j), reflectors = blas::narrow(width);
    blas::geqrf<T>(&rows, &reflectors, panel, &ld, &tau[j], work.data(), &lwork, &info);
    if (info != 0) throw InternalError("geqrf refused argument " + std::to_string(-info));
    poll_interrupt();
    int64_t step = m;
    while (4.0 * double(n) * double(width) * double(step) > kMostOperations && step > kPanel) {
      step /= 2;
    }
    for (int64_t first = j + width; first < m; first += step) {
      const Int cols = blas::narrow(std::min(step, m - first));
      blas::ormqr<T>(&left, &transpose, &rows, &cols, &reflectors, panel, &ld, &tau[j],
                     a + first * lda + j, &ld, work.data(), &lwork, &info);
      if (info != 0) throw InternalError("ormqr refused argument " + std::to_string(-info));
      poll_interrupt();
    }
  }
  for (int64_t i = 0; i < m; ++i) {
    std::copy_n(a + i * lda, i + 1, l + i * m);
    std::fill_n(l + i * m + i + 1, m - i - 1, T(0));
  }
}

template <class T>
bool solve_positive(int64_t n, T* a, T* b) {
  if (n == 0) return true;
  const char uplo = 'U';
  const Int ni = blas::narrow(n), one = 1;
  Int info = 0;
  blas::posv<T>(&uplo, &ni, &one, a, &ni, b, &ni, &info);
  return info == 0;
}

#define LIKEWISE_INSTANTIATE(T)                                        \
  template bool singular_values<T>(int64_t, int64_t, T*, int64_t, T*); \
  template bool svd<T>(int64_t, int64_t, T*, int64_t, T*, T*, T*);     \
  template bool symmetric_eigen<T>(int64_t, T*, int64_t, T*, bool);    \
  template void triangular_root<T>(int64_t, int64_t, T*, int64_t, T*); \
  template bool solve_positive<T>(int64_t, T*, T*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

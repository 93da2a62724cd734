#pragma once

#include <cstdint>
#include <vector>

// Singular values without squaring the matrix and without iterating: orthogonal transformations to
// bidiagonal form (through a band for larger matrices, so that nearly all work is matrix products),
// then the sum of the singular values in closed form.

namespace likewise {

// An upper bidiagonal matrix with the singular values of another one, and maybe further zeros.
struct Bidiagonal {
  std::vector<double> diag;
  std::vector<double> super;  // as long as diag; the last element is meaningless
};

// Reduces matrices one after the other and keeps its memory in between. T is the precision of the
// work: float is twice as fast and loses about 1e-8 of the sum of the singular values.
// One object belongs to one thread.
template <class T>
class BidiagonalReduction {
 public:
  // The bidiagonal form of factor * A (m x n, row-major, only read), which should have its largest
  // entries or its norm near one: entries below 1e-140 of that (1e-17 in float) count as zero.
  // Valid until the next call. NaN and infinity give NaN.
  template <class In>
  const Bidiagonal& reduce(int64_t m, int64_t n, const In* a, int64_t lda, double factor);

 private:
  void reduce_dense(int64_t m, int64_t n);
  void reduce_blocked(int64_t m, int64_t n, int64_t width);

  Bidiagonal result_;
  std::vector<T> matrix_, root_, left_, right_, scaled_, small_;
  std::vector<double> dense_, band_, work_;
};

// The sum of the singular values, to a relative error of rounding.
double nuclear_norm(const Bidiagonal& b);

// A factor (a power of two) that brings the largest entry of A into [0.5, 1), as far as doubles go;
// 1 for a matrix of zeros or with NaN or infinity.
template <class T>
double unit_factor(int64_t m, int64_t n, const T* a, int64_t lda);

}  // namespace likewise

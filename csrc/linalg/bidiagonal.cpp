#include "linalg/bidiagonal.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "core/parallel.h"
#include "linalg/cpu/bidiagonal_kernels.h"
#include "linalg/cpu/panel_kernels.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kDenseLimit = 112;  // up to here one reflection at a time is faster
constexpr int64_t kWideBandFrom =
    1024;  // from here products with 32 columns pay for the wider band

constexpr int64_t kBandRows = 64;  // between two looks for an interrupt

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// The rows of factor * A, or of factor * A', `ld` apart and followed by zeros up to `size`
// elements.
template <class Out, class In>
void copy_scaled(int64_t m, int64_t n, const In* a, int64_t lda, double factor, bool transpose,
                 int64_t size, int64_t ld, std::vector<Out>& out) {
  constexpr int64_t kTile = 16;
  const int64_t rows = transpose ? n : m, cols = transpose ? m : n;
  out.resize(size_t(size));
  if (transpose) {
    for (int64_t first = 0; first < m; first += kTile) {
      const int64_t end = std::min(first + kTile, m);
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t i = first; i < end; ++i) out[j * ld + i] = Out(a[i * lda + j] * factor);
      }
    }
  } else {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) out[i * ld + j] = Out(a[i * lda + j] * factor);
    }
  }
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t end = i + 1 < rows ? (i + 1) * ld : size;
    std::fill(out.begin() + i * ld + cols, out.begin() + end, Out(0));
  }
}

}  // namespace

template <class T>
template <class In>
const Bidiagonal& BidiagonalReduction<T>::reduce(int64_t m, int64_t n, const In* a, int64_t lda,
                                                 double factor) {
  const int64_t rows = std::max(m, n), cols = std::min(m, n);
  if (cols <= kDenseLimit) {
    const int64_t ld = cols + kRowSlack;
    copy_scaled(m, n, a, lda, factor, m < n, rows * ld + kRowSlack, ld, dense_);
    reduce_dense(rows, cols);
    return result_;
  }
  const int64_t width = cols >= kWideBandFrom ? 32 : 16, padded_cols = round_up(cols, width);
  const int64_t ld = padded_cols + kRowSlack;
  if (3 * rows > 5 * cols) {  // Chan (ACM TOMS 8, 1982): fewer operations through the root
    copy_scaled(m, n, a, lda, factor, m > n, rows * cols, rows, matrix_);
    root_.resize(size_t(cols * cols));
    triangular_root<T>(cols, rows, matrix_.data(), rows, root_.data());
    copy_scaled(cols, cols, root_.data(), cols, 1, false, padded_cols * ld, ld, matrix_);
    reduce_blocked(padded_cols, padded_cols, width);
  } else {
    const int64_t padded_rows = round_up(rows, width);
    copy_scaled(m, n, a, lda, factor, m < n, padded_rows * ld, ld, matrix_);
    reduce_blocked(padded_rows, padded_cols, width);
  }
  return result_;
}

template <class T>
void BidiagonalReduction<T>::reduce_dense(int64_t m, int64_t n) {
  result_.diag.resize(n);
  result_.super.resize(n);
  work_.resize(size_t(m + kRowSlack));
  bidiagonal_kernels_for_this_cpu().dense(m, n, dense_.data(), n + kRowSlack, result_.diag.data(),
                                          result_.super.data(), work_.data());
}

// Blocks of b columns, then b rows, become triangular in turn, which leaves an upper band of width
// b. With the reflections of one step being I - V T V' from the left and I - U S U' from the right,
// the rest of the matrix becomes A - V Y' - X U', where Y = A'V T and X = (A - V Y') U S.
template <class T>
void BidiagonalReduction<T>::reduce_blocked(int64_t m, int64_t n, int64_t b) {
  const PanelFunctions<T>& panel = panel_functions<T>();
  const int64_t lda = n + kRowSlack, ld = 2 * b, ld_band = band_stride(b);
  left_.resize(size_t(m * ld));   // [V X]
  right_.resize(size_t(n * ld));  // [Y U]
  scaled_.resize(size_t(n * b));  // U S
  small_.resize(size_t(3 * b * b));
  T* triangle = small_.data();
  T* factor = triangle + b * b;
  T* inner = factor + b * b;
  band_.assign(size_t(n * ld_band + n + 4 * b), 0);
  double* band = band_.data() + b;

  for (int64_t o = 0; o < n; o += b) {
    poll_interrupt();
    const int64_t rows = m - o, rest = n - o - b, low = rows - b;
    T* block = matrix_.data() + o * lda + o;
    T* v = left_.data();
    for (int64_t i = 0; i < rows; ++i) std::copy_n(block + i * lda, b, v + i * ld);
    panel.factor(rows, b, v, ld, triangle, factor);
    for (int64_t i = 0; i < b; ++i) {
      for (int64_t j = i; j < b; ++j) band[(o + i) * ld_band + o + j] = triangle[i * b + j];
    }
    if (rest == 0) break;

    T* y = right_.data();
    T* u = y + b;
    T* x = v + b * ld + b;
    gemm<T>(Op::transpose, Op::none, rest, b, rows, 1, block + b, lda, v, ld, 0, y, ld);
    panel.multiply(rest, b, y, ld, factor, y, ld, false);
    for (int64_t i = 0; i < b; ++i) {
      for (int64_t j = 0; j < b; ++j) inner[j * b + i] = v[i * ld + j];
      for (int64_t j = 0; j < rest; ++j) u[j * ld + i] = block[i * lda + b + j];
    }
    panel.multiply(rest, b, y, ld, inner, u, ld, true);
    panel.factor(rest, b, u, ld, triangle, factor);
    for (int64_t i = 0; i < b; ++i) {
      for (int64_t j = 0; j <= i; ++j) band[(o + i) * ld_band + o + b + j] = triangle[j * b + i];
    }

    T* lower = block + b * lda + b;
    T* us = scaled_.data();
    panel.multiply(rest, b, u, ld, factor, us, b, false);
    gemm<T>(Op::none, Op::none, low, b, rest, 1, lower, lda, us, b, 0, x, ld);
    gemm<T>(Op::transpose, Op::none, b, b, rest, 1, y, ld, us, b, 0, inner, b);
    panel.multiply(low, b, v + b * ld, ld, inner, x, ld, true);
    gemm<T>(Op::none, Op::transpose, low, rest, ld, -1, v + b * ld, ld, y, ld, 1, lower, lda);
  }
  result_.diag.resize(n);
  result_.super.resize(n);
  for (int64_t row = 0; row < n; row += kBandRows) {
    bidiagonal_kernels_for_this_cpu().band(n, b, band, ld_band, row, row + kBandRows);
    poll_interrupt();
  }
  for (int64_t i = 0; i < n; ++i) {
    result_.diag[i] = band[i * ld_band + i];
    result_.super[i] = i + 1 < n ? band[i * ld_band + i + 1] : 0;
  }
}

namespace {

// sqrt(x) = (2 / pi) * integral of x / (x + t^2) over t > 0, by the midpoint rule in the variable u
// of t = delta sinh(u) for small and t = 1 / sinh(K - u) for large t, K = log(4 / delta): the limit
// for small delta of the elliptic substitution of Hale, Higham & Trefethen (SIAM J. Numer. Anal.
// 46, 2008, method 3). The relative error is 2 exp(-pi^2 N / K) for x in [delta^2, 1]; a smaller x
// adds less than delta.
struct RootQuadrature {
  static constexpr int kNodes = 160;
  double shifts[kNodes], weights[kNodes];

  RootQuadrature() {
    const double delta = 1e-17, k = std::log(4 / delta), step = k / kNodes;
    for (int j = 0; j < kNodes; ++j) {
      const double u = (j + 0.5) * step, v = k - u;
      const double t = u < v ? delta * std::sinh(u) : 1 / std::sinh(v);
      const double slope = u < v ? delta * std::cosh(u) : std::cosh(v) * t * t;
      shifts[j] = t * t;
      weights[j] = 2 / 3.14159265358979323846 * step * slope;
    }
  }
};

}  // namespace

double nuclear_norm(const Bidiagonal& b) {
  static const RootQuadrature root;
  const int64_t n = b.diag.size();
  double bound = 0;  // on the largest singular value
  for (int64_t i = 0; i < n; ++i) {
    const double row = std::abs(b.diag[i]) + (i + 1 < n ? std::abs(b.super[i]) : 0);
    bound = row <= bound ? bound : row;  // keeps NaN
  }
  if (bound == 0 || !std::isfinite(bound)) return bound == 0 ? 0 : bound - bound;
  // Of a bidiagonal matrix the largest row and column sums both are at most twice that.
  const int exponent = std::ilogb(bound) + 2;
  const double factor = std::ldexp(1.0, -exponent);
  std::vector<double> squares(2 * size_t(n));
  for (int64_t i = 0; i < n; ++i) {
    const double diag = b.diag[i] * factor, super = i + 1 < n ? b.super[i] * factor : 0;
    squares[i] = diag * diag;
    squares[n + i] = super * super;
  }
  double sums[RootQuadrature::kNodes];
  bidiagonal_kernels_for_this_cpu().resolvent_traces(n, squares.data(), squares.data() + n,
                                                     RootQuadrature::kNodes, root.shifts, sums);
  double total = 0;
  for (int j = 0; j < RootQuadrature::kNodes; ++j) total += root.weights[j] * sums[j];
  return std::ldexp(total, exponent);
}

template <class T>
double unit_factor(int64_t m, int64_t n, const T* a, int64_t lda) {
  // The bits of non-negative numbers are ordered as the numbers are, with infinity and NaN last.
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Bits largest = 0;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      largest = std::max(largest, std::bit_cast<Bits>(std::abs(a[i * lda + j])));
    }
  }
  const T value = std::bit_cast<T>(largest);
  if (value == 0 || !std::isfinite(value)) return 1;
  return std::ldexp(1.0, std::clamp(-std::ilogb(value) - 1, -1000, 1000));
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template class BidiagonalReduction<T>;                                                           \
  template const Bidiagonal& BidiagonalReduction<T>::reduce<float>(int64_t, int64_t, const float*, \
                                                                   int64_t, double);               \
  template const Bidiagonal& BidiagonalReduction<T>::reduce<double>(                               \
      int64_t, int64_t, const double*, int64_t, double);                                           \
  template double unit_factor<T>(int64_t, int64_t, const T*, int64_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

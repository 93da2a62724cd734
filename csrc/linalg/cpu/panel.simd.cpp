#include "core/simd.h"
#include "linalg/cpu/panel_kernels.h"

namespace likewise::LIKEWISE_ISA {
namespace {

// Sums over rows run in T over this many rows and in double across them.
constexpr int64_t kRowsPerSum = 64;

// Below this a column counts as zero: its square is about to underflow.
template <class T>
constexpr double kTinySquare = sizeof(T) == 4 ? 1e-34 : 1e-280;

template <class T, int Width>
struct Panel {
  using L = Simd<T>;
  using Vec = typename L::Vec;
  static constexpr int kVectors = Width / L::lanes;
  static constexpr int kRowsAtOnce = kVectors >= 8 ? 1 : kVectors >= 4 ? 2 : 4;

  // One pass over rows [first, rows): finishes column c (v = inverse * column, row -= v w) and sums
  // the products of the updated column c + 1 with all columns. c = -1 only sums.
  static void pass(int64_t first, int64_t rows, int64_t c, T inverse, const T* w, T* p, int64_t ld,
                   double* sums) {
    constexpr int kRows = kVectors >= 4 ? 1 : 2;  // sums in flight to hide their latency
    Vec wv[kVectors];
    for (int k = 0; k < kVectors; ++k) wv[k] = L::load(w + k * L::lanes);
    for (int k = 0; k < Width; ++k) sums[k] = 0;
    const T w_next = w[c + 1];
    for (int64_t begin = first; begin < rows; begin += kRowsPerSum) {
      const int64_t end = begin + kRowsPerSum < rows ? begin + kRowsPerSum : rows;
      Vec acc[kRows][kVectors];
      for (int q = 0; q < kRows; ++q) {
        for (int k = 0; k < kVectors; ++k) acc[q][k] = L::fill(0);
      }
      auto finish_row = [&](int64_t r, int q) {
        T* row = p + r * ld;
        const T v = c < 0 ? T(0) : row[c] * inverse;
        const Vec vv = L::fill(v), next = L::fill(row[c + 1] - v * w_next);
        for (int k = 0; k < kVectors; ++k) {
          const Vec x = L::load(row + k * L::lanes) - vv * wv[k];
          L::store(row + k * L::lanes, x);
          acc[q][k] += next * x;
        }
        if (c >= 0) row[c] = v;
      };
      int64_t r = begin;
      for (; r + kRows <= end; r += kRows) {
        for (int q = 0; q < kRows; ++q) finish_row(r + q, q);
      }
      for (; r < end; ++r) finish_row(r, 0);
      for (int q = 0; q < kRows; ++q) {
        for (int k = 0; k < Width; ++k) sums[k] += double(acc[q][k / L::lanes][k % L::lanes]);
      }
    }
    if (c >= 0) sums[c] *= double(inverse);  // the loop met column c before its scaling
  }

  static void factor(int64_t rows, T* p, int64_t ld, T* r, T* t) {
    double sums[Width];
    T w[Width + 1];
    for (int k = 0; k < Width * Width; ++k) r[k] = t[k] = 0;
    for (int k = 0; k <= Width; ++k) w[k] = 0;
    pass(0, rows, -1, T(1), w, p, ld, sums);
    for (int c = 0; c < Width; ++c) {
      T* pivot = p + c * ld;
      const double alpha = double(pivot[c]), square = sums[c];
      double beta = alpha, tau = 0, inverse = 0;
      if (square > kTinySquare<T>) {
        beta = alpha > 0 ? -__builtin_sqrt(square) : __builtin_sqrt(square);
        tau = (beta - alpha) / beta;
        inverse = 1 / (alpha - beta);
      }
      // Products of this v with the earlier columns of V (for T) and the later ones of P.
      double inner[Width];
      for (int k = 0; k < Width; ++k) inner[k] = (sums[k] - beta * double(pivot[k])) * inverse;
      for (int k = 0; k < Width; ++k) w[k] = k > c ? T(tau * inner[k]) : T(0);
      r[c * Width + c] = T(beta);
      for (int k = c + 1; k < Width; ++k) r[c * Width + k] = pivot[k] - w[k];
      t[c * Width + c] = T(tau);
      for (int i = 0; i < c; ++i) {
        double sum = 0;
        for (int k = i; k < c; ++k) sum += double(t[i * Width + k]) * inner[k];
        t[i * Width + c] = T(-tau * sum);
      }
      for (int k = c; k < Width; ++k) pivot[k] = k == c;
      if (c + 1 < Width) {
        pass(c + 1, rows, c, T(inverse), w, p, ld, sums);
      } else {
        for (int64_t i = Width; i < rows; ++i) p[i * ld + c] *= T(inverse);
      }
    }
  }

  template <int Rows>
  static void multiply_rows(const T* x, int64_t ldx, const T* s, T* out, int64_t ldo,
                            bool subtract) {
    Vec acc[Rows][kVectors];
    for (int r = 0; r < Rows; ++r) {
      for (int k = 0; k < kVectors; ++k) acc[r][k] = L::fill(0);
    }
    for (int i = 0; i < Width; ++i) {
      for (int k = 0; k < kVectors; ++k) {
        const Vec sk = L::load(s + i * Width + k * L::lanes);
        for (int r = 0; r < Rows; ++r) acc[r][k] += L::fill(x[r * ldx + i]) * sk;
      }
    }
    for (int r = 0; r < Rows; ++r) {
      for (int k = 0; k < kVectors; ++k) {
        T* to = out + r * ldo + k * L::lanes;
        L::store(to, subtract ? L::load(to) - acc[r][k] : acc[r][k]);
      }
    }
  }

  static void multiply(int64_t rows, const T* x, int64_t ldx, const T* s, T* out, int64_t ldo,
                       bool subtract) {
    int64_t r = 0;
    for (; r + kRowsAtOnce <= rows; r += kRowsAtOnce) {
      multiply_rows<kRowsAtOnce>(x + r * ldx, ldx, s, out + r * ldo, ldo, subtract);
    }
    for (; r < rows; ++r) multiply_rows<1>(x + r * ldx, ldx, s, out + r * ldo, ldo, subtract);
  }
};

template <class T>
void factor(int64_t rows, int64_t width, T* p, int64_t ld, T* r, T* t) {
  if (width == 16) {
    Panel<T, 16>::factor(rows, p, ld, r, t);
  } else {
    Panel<T, 32>::factor(rows, p, ld, r, t);
  }
}

template <class T>
void multiply(int64_t rows, int64_t width, const T* x, int64_t ldx, const T* s, T* out, int64_t ldo,
              bool subtract) {
  if (width == 16) {
    Panel<T, 16>::multiply(rows, x, ldx, s, out, ldo, subtract);
  } else {
    Panel<T, 32>::multiply(rows, x, ldx, s, out, ldo, subtract);
  }
}

}  // namespace

const OfBoth<PanelFunctions> panel_functions_table = {{factor<float>, multiply<float>},
                                                      {factor<double>, multiply<double>}};

}  // namespace likewise::LIKEWISE_ISA

#include "core/simd.h"
#include "linalg/cpu/bidiagonal_kernels.h"

namespace likewise::LIKEWISE_ISA {
namespace {

using Lanes = Simd<double>;
using Vec = Lanes::Vec;
constexpr int kLanes = Lanes::lanes;

// Below this a column counts as zero: its square would underflow, and matrices are scaled to one.
constexpr double kTinySquare = 1e-280;

// H = I - tau v v' with v[0] = 1 maps x = alpha e1 + ... onto beta e1.
struct Reflector {
  double beta, tau;
};

// The reflector of x, whose elements i < n lie `stride` apart; `v` is contiguous and padded with
// zeros to full vectors. The loads build full vectors in registers: a vector load soon after
// narrower stores would have to wait for them.
template <class Load>
inline Reflector make_reflector(int64_t n, double* v, const Load& load) {
  Vec squares = Lanes::fill(0);
  for (int64_t i = 0; i < n; i += kLanes) {
    const Vec x = load(i);
    squares += x * x;
    Lanes::store(v + i, x);
  }
  Vec head = load(0);
  const double alpha = head[0], square = Lanes::sum(squares);
  const double norm = __builtin_sqrt(square);
  const double beta = alpha > 0 ? -norm : norm;
  const bool zero = square < kTinySquare;
  const Vec inverse = Lanes::fill(zero ? 0 : 1 / (alpha - beta));
  for (int64_t i = kLanes; i < n; i += kLanes) Lanes::store(v + i, Lanes::load(v + i) * inverse);
  head *= inverse;
  head[0] = 1;
  Lanes::store(v, head);
  return zero ? Reflector{alpha, 0} : Reflector{beta, (beta - alpha) / beta};
}

// Elements behind the n-th in the row are zero.
inline Reflector reflector_of_row(int64_t n, const double* x, double* v) {
  return make_reflector(n, v, [&](int64_t i) { return Lanes::load(x + i); });
}

inline Reflector reflector_of_column(int64_t n, const double* x, int64_t stride, double* v) {
  return make_reflector(n, v, [&](int64_t i) {
    Vec lanes;
    for (int k = 0; k < kLanes; ++k) lanes[k] = i + k < n ? x[(i + k) * stride] : 0;
    return lanes;
  });
}

// `Vectors` neighbouring vectors of columns of A -= tau v (v'A).
template <int Vectors>
inline void reflect_columns(int64_t rows, double* a, int64_t ld, const double* v, double tau) {
  Vec w[Vectors];
  for (int k = 0; k < Vectors; ++k) w[k] = Lanes::load(a + k * kLanes);  // v[0] = 1
  for (int64_t r = 1; r < rows; ++r) {
    const Vec vr = Lanes::fill(v[r]);
    for (int k = 0; k < Vectors; ++k) w[k] += vr * Lanes::load(a + r * ld + k * kLanes);
  }
  for (int k = 0; k < Vectors; ++k) w[k] *= Lanes::fill(tau);
  for (int64_t r = 0; r < rows; ++r) {
    const Vec vr = Lanes::fill(v[r]);
    for (int k = 0; k < Vectors; ++k) {
      double* p = a + r * ld + k * kLanes;
      Lanes::store(p, Lanes::load(p) - vr * w[k]);
    }
  }
}

// A (rows x cols) -= tau v (v'A). Reads and writes up to kRowSlack zeros behind the last column.
void reflect_left(int64_t rows, int64_t cols, double* a, int64_t ld, const double* v, double tau) {
  if (tau == 0) return;
  int64_t c = 0;
  for (; c + 8 * kLanes <= cols; c += 8 * kLanes) reflect_columns<8>(rows, a + c, ld, v, tau);
  if (c + 4 * kLanes <= cols) {
    reflect_columns<4>(rows, a + c, ld, v, tau);
    c += 4 * kLanes;
  }
  if (c + 2 * kLanes <= cols) {
    reflect_columns<2>(rows, a + c, ld, v, tau);
    c += 2 * kLanes;
  }
  for (; c < cols; c += kLanes) reflect_columns<1>(rows, a + c, ld, v, tau);
}

// The sums of the lanes of each of four vectors.
template <int N>
inline void sum_lanes(const typename Simd<double, N>::Vec* w, double* sums) {
  if constexpr (N == 2) {
    for (int k = 0; k < 4; k += 2) {
      Simd<double, 2>::store(sums + k, __builtin_shufflevector(w[k], w[k + 1], 0, 2) +
                                           __builtin_shufflevector(w[k], w[k + 1], 1, 3));
    }
  } else if constexpr (N == 4) {
    const auto ab = __builtin_shufflevector(w[0], w[1], 0, 4, 2, 6) +
                    __builtin_shufflevector(w[0], w[1], 1, 5, 3, 7);
    const auto cd = __builtin_shufflevector(w[2], w[3], 0, 4, 2, 6) +
                    __builtin_shufflevector(w[2], w[3], 1, 5, 3, 7);
    Simd<double, 4>::store(sums, __builtin_shufflevector(ab, cd, 0, 1, 6, 7) +
                                     __builtin_shufflevector(ab, cd, 2, 3, 4, 5));
  } else {
    typename Simd<double, 4>::Vec half[4];
    for (int k = 0; k < 4; ++k) {
      double lanes[8];
      Simd<double, 8>::store(lanes, w[k]);
      half[k] = Simd<double, 4>::load(lanes) + Simd<double, 4>::load(lanes + 4);
    }
    sum_lanes<4>(half, sums);
  }
}

// `Rows` (1 or 4) neighbouring rows of A -= tau (A v) v'.
template <int Rows>
inline void reflect_rows(int64_t cols, double* a, int64_t ld, const double* v, double tau) {
  Vec w[Rows];
  for (int r = 0; r < Rows; ++r) w[r] = Lanes::fill(0);
  for (int64_t c = 0; c < cols; c += kLanes) {
    const Vec vc = Lanes::load(v + c);
    for (int r = 0; r < Rows; ++r) w[r] += Lanes::load(a + r * ld + c) * vc;
  }
  double sums[Rows];
  if constexpr (Rows == 4) {
    sum_lanes<kLanes>(w, sums);
  } else {
    sums[0] = Lanes::sum(w[0]);
  }
  for (int r = 0; r < Rows; ++r) w[r] = Lanes::fill(tau * sums[r]);
  for (int64_t c = 0; c < cols; c += kLanes) {
    const Vec vc = Lanes::load(v + c);
    for (int r = 0; r < Rows; ++r) {
      double* p = a + r * ld + c;
      Lanes::store(p, Lanes::load(p) - w[r] * vc);
    }
  }
}

// A (rows x cols) -= tau (A v) v'. Elements behind the last column keep their values: v is zero.
void reflect_right(int64_t rows, int64_t cols, double* a, int64_t ld, const double* v, double tau) {
  if (tau == 0) return;
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) reflect_rows<4>(cols, a + r * ld, ld, v, tau);
  for (; r < rows; ++r) reflect_rows<1>(cols, a + r * ld, ld, v, tau);
}

void dense(int64_t m, int64_t n, double* a, int64_t ld, double* diag, double* super, double* work) {
  for (int64_t i = 0; i < n; ++i) {
    double* corner = a + i * ld + i;
    const Reflector left = reflector_of_column(m - i, corner, ld, work);
    diag[i] = left.beta;
    if (i + 1 == n) break;
    reflect_left(m - i, n - i - 1, corner + 1, ld, work, left.tau);
    const Reflector right = reflector_of_row(n - i - 1, corner + 1, work);
    super[i] = right.beta;
    reflect_right(m - i - 1, n - i - 1, corner + ld + 1, ld, work, right.tau);
  }
}

// Row by row: a reflection of columns makes the row bidiagonal and fills in below the diagonal of
// its block, one of rows removes that and fills in right of the band, and so on down the matrix.
void band(int64_t n, int64_t width, double* band, int64_t ld, int64_t first, int64_t end_row) {
  double v[kMaxBand + kRowSlack];
  for (int64_t i = first; i < end_row && i + 1 < n; ++i) {
    int64_t row = i;
    for (int64_t col = i + 1; col < n; row = col, col += width) {
      const int64_t length = col + width < n ? width : n - col;
      double* x = band + row * ld + col;
      const Reflector right = reflector_of_row(length, x, v);
      reflect_right(col + length - row, length, x, ld, v, right.tau);
      x[0] = right.beta;
      for (int64_t k = 1; k < length; ++k) x[k] = 0;

      double* corner = band + col * ld + col;
      const Reflector left = reflector_of_column(length, corner, ld, v);
      const int64_t end = col + length + width < n ? col + length + width : n;
      reflect_left(length, end - col, corner, ld, v, left.tau);
      corner[0] = left.beta;
      for (int64_t k = 1; k < length; ++k) corner[k * ld] = 0;
    }
  }
}

// With pivots d_i = q_i + t_i of B'B + s and h_i = t_i - s dt_i/ds, the sum is that of (q + h) / d:
//   t' = s + e t / d,   h' = e (t^2 + q h) / d^2.
constexpr int kShiftVectors = 4;

void resolvent_traces(int64_t n, const double* q, const double* e, int64_t count,
                      const double* shifts, double* sums) {
  const Vec one = Lanes::fill(1);
  for (int64_t first = 0; first < count; first += kShiftVectors * kLanes) {
    Vec t[kShiftVectors], h[kShiftVectors], sum[kShiftVectors];
    for (int k = 0; k < kShiftVectors; ++k) {
      t[k] = Lanes::load(shifts + first + k * kLanes);
      h[k] = sum[k] = Lanes::fill(0);
    }
    for (int64_t i = 0; i < n; ++i) {
      const Vec qi = Lanes::fill(q[i]), ei = Lanes::fill(i + 1 < n ? e[i] : 0);
      for (int k = 0; k < kShiftVectors; ++k) {
        const Vec inverse = one / (qi + t[k]);
        const Vec u = ei * inverse;
        sum[k] += (qi + h[k]) * inverse;
        h[k] = u * inverse * (t[k] * t[k] + qi * h[k]);
        t[k] = Lanes::load(shifts + first + k * kLanes) + u * t[k];
      }
    }
    for (int k = 0; k < kShiftVectors; ++k) Lanes::store(sums + first + k * kLanes, sum[k]);
  }
}

}  // namespace

const BidiagonalKernels bidiagonal_kernels = {dense, band, resolvent_traces};

}  // namespace likewise::LIKEWISE_ISA

#pragma once

#include "core/cuda/magnitude.cuh"

// What the kernels of one-sided Jacobi rotations share.

namespace likewise::cuda {

constexpr int kMostSweeps = 40;

template <class T>
__device__ constexpr T rounding() {
  return sizeof(T) == 4 ? T(1.2e-7) : T(2.2e-16);
}

// A power of two near the largest magnitude, by which scaling is exact.
template <class T>
__device__ T scale_for(T largest) {
  return largest > 0 ? T(ldexp(1.0, ilogb(double(largest)))) : T(1);
}

// A round robin: in every round (below players - 1) each column is in one of players / 2 pairs.
// `players` is even; of an odd number of columns one meets a column that is none, and pauses.
struct ColumnPair {
  int p, q;  // p < q
};
__device__ inline ColumnPair pair_of_round(int round, int k, int players) {
  int first = players - 1, second = round;
  if (k > 0) {
    first = round + k < players - 1 ? round + k : round + k - (players - 1);
    second = round < k ? round - k + (players - 1) : round - k;
  }
  return first < second ? ColumnPair{first, second} : ColumnPair{second, first};
}

// Whether columns of m numbers, with squared lengths alpha and beta and the inner product gamma,
// are to be turned. A column of rounding errors alone is left as it is: it would settle late, if
// ever.
template <class T>
__device__ bool is_to_be_turned(T alpha, T beta, T gamma, int64_t m, T negligible) {
  return fabs(gamma) > rounding<T>() * sqrt(T(m)) * sqrt(alpha) * sqrt(beta) &&
         (alpha < beta ? alpha : beta) > negligible;
}

// Rutishauser's rotation, in a form whose rounding makes no column grow.
template <class T>
struct Rotation {
  T tangent, sine, half;

  __device__ Rotation(T alpha, T beta, T gamma) {
    const T zeta = (beta - alpha) / (2 * gamma);
    tangent = (zeta < 0 ? T(-1) : T(1)) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    const T cosine = 1 / sqrt(1 + tangent * tangent);
    sine = cosine * tangent;
    half = sine / (1 + cosine);  // cosine = 1 - sine * half, exactly enough for small angles
  }
  __device__ void turn(T& a, T& b) const {
    const T x = a, y = b;
    a = x - sine * (y + half * x);
    b = y + sine * (x - half * y);
  }
};

}  // namespace likewise::cuda

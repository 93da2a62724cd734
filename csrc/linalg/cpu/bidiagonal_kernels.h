#pragma once

#include <stdint.h>

#include "core/isa.h"

// Kernels of linalg/bidiagonal.h for one matrix that fits a cache, compiled once per instruction
// set. Matrices hold no values beyond about 1e60, so that squares neither overflow nor, where they
// matter, underflow.

namespace likewise {

// Behind the last column every row must have this many zeros that may be read and written.
constexpr int64_t kRowSlack = 16;

// Widest band.
constexpr int64_t kMaxBand = 32;

// Row stride of the skewed storage of a band: between two rows' values there are always zeros.
static constexpr int64_t band_stride(int64_t width) { return 3 * width + kRowSlack; }

struct BidiagonalKernels {
  // Orthogonal transformations of A (m x n, m >= n, destroyed) to upper bidiagonal form.
  // `work` holds m + kRowSlack doubles.
  void (*dense)(int64_t m, int64_t n, double* a, int64_t ld, double* diag, double* super,
                double* work);

  // The same for an upper band matrix (n x n, with `width` <= kMaxBand superdiagonals, zeros around
  // them, destroyed) whose element (i, j) is band[i * ld + j] with ld = band_stride(width). From
  // band - width to band + n * ld + n + 3 * width must be readable. Rows [first, end) become
  // bidiagonal, in place; those before them must be so already.
  void (*band)(int64_t n, int64_t width, double* band, int64_t ld, int64_t first, int64_t end);

  // sums[k] = sum of x / (x + shifts[k]) over the eigenvalues x of B'B, where B is upper bidiagonal
  // with squared diagonal q[0..n) and squared superdiagonal e[0..n-1). All terms are positive and
  // computed without cancellation. `count` is a multiple of 32, all shifts are positive.
  void (*resolvent_traces)(int64_t n, const double* q, const double* e, int64_t count,
                           const double* shifts, double* sums);
};

LIKEWISE_KERNEL_TABLE(BidiagonalKernels, bidiagonal_kernels)

}  // namespace likewise

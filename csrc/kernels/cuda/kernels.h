#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "kernels/kernels.h"

namespace likewise::cuda {

// What one call finds, in device memory; the items are those of a, then of b.
struct KernelFindings {
  double* scores;
  int64_t* status;          // KernelStatus of every item
  int64_t* constant_units;  // of every item
};

// HSIC or CKA (see kernels/kernels.h) of all pairs, row-major. `b` is ignored with `symmetric`,
// which compares a with itself.
//
// Kernel matrices are never whole: blocks of their rows, of all items side by side, go into one
// product that has the inner products of all pairs. Sums run in double over parts of at most 4096
// entries, always in the same order. The median distance sorts nothing: it is found by its digits,
// each a walk over all distances.
//
// Estimate for an H100, linear CKA of 200 items, n = 2048, d = 512, float32, not measured: 2 n^2 d
// operations per item and 2 n^2 per pair, 1.2 TFLOP at 50 TFLOP/s, 25 ms.
template <class T>
void kernel_scores(const Context& context, const std::vector<Matrix<T>>& a,
                   const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                   const KernelOptions& options, const KernelFindings& out);

// The same of x[k] with y[k] for `count` pairs; the items are all x, then all y.
template <class T>
void kernel_pairs(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                  int64_t rows, const KernelOptions& options, const KernelFindings& out);

// Scores of x with y, its samples in each of `count` orders (count x rows): an order of the samples
// is one of the rows and columns of the kernel matrix, which is made once. Two kernel matrices are
// kept whole.
template <class T>
void kernel_reordered(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t rows,
                      const int32_t* orders, int64_t count, const KernelOptions& options,
                      double* scores);

}  // namespace likewise::cuda

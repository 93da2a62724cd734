#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/gram.h"

// Gradients of HSIC and CKA by kernel matrices, in double. Both estimators are c <C(K), C(L)> with
// a projection C of symmetric matrices: C(K) = HKH (biased), or the U-centred K, whose diagonal and
// row sums are 0 (unbiased).

namespace likewise::cuda {

// The kernel matrix of one representation and what is summed of it.
struct GramSide {
  int64_t rows;
  const GramItem* item;
  const double* unit;   // samples are those of the data times this
  const double* norms;  // rows: squared norms of the samples
  double* products;     // rows x rows: inner products of the samples; rbf, once the kernel is
                        // evaluated: their squared distances
  double* kernel;       // rows x rows; linear: the products
  double* sums;         // rows: of the kernel's rows, unbiased ones without the diagonal
  double* squares;      // rows: sums of squares of the kernel's rows
  double* projected;    // rows: the same of the projected kernel
};

// kernel, sums and squares from the products of samples of T.
template <class T>
void evaluate_kernel(const GramSide& side, const GramOptions& options, cudaStream_t stream);

// kernel := C(kernel), and its sums of squares.
void project_kernel(const GramSide& side, const GramOptions& options, cudaStream_t stream);

// d score / dK = other * C(L) + own * C(K), times the unit of the samples. NaN without a score.
struct GramSlopes {
  double other, own;
};

// slopes[0] by the kernel of x, slopes[1] by that of y; products (rows) are the inner products of
// the rows of the projected kernels, the square of `rounding` the share of its kernel's squares
// that a projection's must exceed to be one.
void relate_kernels(const GramSide& x, const GramSide& y, const double* products,
                    const GramOptions& options, double rounding, GramSlopes* slopes,
                    cudaStream_t stream);

// What one side's gradient is made of.
struct GramPull {
  GramSide side;
  const double* other;  // the other side's projected kernel
  const GramSlopes* slopes;
  const double* middle;             // rbf with a median bandwidth: two squared distances, and
  const unsigned long long* pairs;  // p * rows + q of two samples at each of them; else null
  double *weights, *distances;      // rows: sums of the weights, and of these times distances
};

// Of kernels that are not linear: weights and distances.
void sum_weights(const GramPull& pull, const GramOptions& options, cudaStream_t stream);

// out (rows x rows): the gradient by the samples is this times the samples.
template <class T>
void write_weights(const GramPull& pull, const GramOptions& options, T* out, cudaStream_t stream);

// Lowers pairs[k] to the first p * rows + q, q < p, in rows [first, first + count) of the squared
// distances whose distance is middle[k].
template <class T>
void find_pairs(const T* values, int64_t rows, int64_t first, int64_t count, const double* middle,
                unsigned long long* pairs, cudaStream_t stream);

}  // namespace likewise::cuda

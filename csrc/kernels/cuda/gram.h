#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

enum class GramFunction : int { linear, rbf, polynomial };

// Of every item: kernels are taken of (x - mean) * unit, in units of 2^exponent and less a
// constant, so that values neither overflow nor vanish nor lose digits (see
// kernels/scaled_kernel.h).
//   rbf         exp(factor |a - b|^2) - 1 - shift, with -1 for shift the kernel itself; other units
//               than 1 only where exp(t) - 1 is t (see kernels/rbf_range.h)
//   polynomial  [(factor a'b + coef0)^degree - (factor origin + coef0)^degree] slope / factor
struct GramItem {
  double factor, shift, coef0, origin, slope;
  int64_t exponent;
  int64_t fault;        // KernelStatus before anything is compared
  const void* samples;  // x: rows x cols of T
  int64_t cols;
  double unit;
};

struct GramOptions {
  GramFunction function;
  bool unbiased, normalize, median;
  double bandwidth, coef0, gamma;
  int64_t degree;
};

// norms[k] = squared norm of row k of x (rows x cols).
template <class T>
void row_norms(const T* x, int64_t rows, int64_t cols, double* norms, cudaStream_t stream);

// What an item (rows x cols) needs, from its samples, their centring and, for a median bandwidth,
// two squared distances in the middle of all (`middle`, null otherwise).
struct GramFacts {
  const void* samples;
  const double* unit;
  const double* norms;  // of the centred samples
  const double* middle;
  int64_t rows, cols;
};
void describe_item(const GramFacts& facts, const GramOptions& options, GramItem* item,
                   cudaStream_t stream);

// Rows [first, first + count) of the kernel matrices of `items`, from inner products in place; item
// k's are `step` elements from those of item k - 1. row_sums and row_squares (items x rows) get the
// sums over these rows; unbiased ones leave out the diagonal, which becomes 0.
template <class T>
struct GramRows {
  T* values;
  const GramItem* items;
  const double* norms;  // items x rows
  double *row_sums, *row_squares;
  int64_t count_items, step, rows, first, count;
};
template <class T>
void apply_kernel(const GramRows<T>& block, const GramOptions& options, cudaStream_t stream);

// The same matrices, all rows of them, projected in place: HKH, or the U-centred ones. Then HSIC is
// a product of matrices and nothing cancels. sizes (items x rows) get the row_squares that they
// had.
template <class T>
void project_grams(const GramRows<T>& whole, const GramOptions& options, double* sizes,
                   cudaStream_t stream);

// out[pair * rows + first + r] = inner product of row r of the blocks of x and y of each pair.
template <class T>
void row_products(const T* x, const T* y, int64_t pairs, int64_t step, int64_t rows, int64_t first,
                  int64_t count, double* out, cudaStream_t stream);

// Scores of all pairs of a and b, or of item k of a with item k of b.
struct GramScores {
  const GramItem *items_a, *items_b;
  const double *sums_a, *sums_b, *squares_a, *squares_b;  // items x rows
  const double* products;  // a x b, or paired: pairs x rows, to be summed
  int64_t count_a, count_b, rows;
  bool paired, symmetric;
  // Of projected matrices: row_squares before. Else null, and the terms of HSIC may cancel.
  const double *sizes_a, *sizes_b;
  double rounding;  // share of its terms that an HSIC must exceed; projected: its square
  double largest;   // HSIC beyond it is infinite
  double* scores;
  int64_t *status_a, *status_b;
};
void score_grams(const GramScores& scores, const GramOptions& options, cudaStream_t stream);

}  // namespace likewise::cuda

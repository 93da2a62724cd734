#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// What sums over samples (see moments.h) say of centred samples. Kernels read the number of samples
// from sums[0].

namespace likewise::cuda {

// Items of one side of sums: columns [starts[k], starts[k + 1]) of the augmented data.
struct SumsSide {
  const int32_t* starts;
  int64_t count;
};

// Of the items of one list, whose sums with itself these are (width x width).
struct UnitFacts {
  double* squares;          // (width): |x_j|^2 of centred units, 0 for constant ones
  double* traces;           // (count): their sum or, without `center`, that of the raw ones
  int64_t* constant_units;  // (count)
  int64_t* samples;         // or null
};
cudaError_t find_units(const double* sums, int64_t width, const SumsSide& items, bool center,
                       const UnitFacts& out, cudaStream_t stream);

// Sums of two lists, and the facts of their units.
struct CentredSums {
  const double* sums;
  int64_t width;
  SumsSide x, y;
  const double *squares_x, *squares_y;  // places as in the augmented data
};

constexpr int64_t kStripeOfRows = 32;

// HSIC of the linear kernel of all pairs of items (x.count, y.count), NaN for constant ones, for
// sums in these units (null: for the sums as they are). `parts` (pairs, stripes, 2) is work, for
// the widest item of x in stripes of kStripeOfRows.
struct LinearHsic {
  bool unbiased;
  const double *traces_x, *traces_y;
  const double *unit_x, *unit_y;
  double* parts;
  int64_t stripes;
  double* out;
};
cudaError_t linear_hsic(const CentredSums& sums, const LinearHsic& hsic, cudaStream_t stream);

// out[i, j] = x[i, j] / sqrt(own_x[i * step_x] own_y[j * step_y]) (rows x cols), NaN where one of
// them is not positive.
cudaError_t normalise_products(const double* x, int64_t rows, int64_t cols, const double* own_x,
                               int64_t step_x, const double* own_y, int64_t step_y, double* out,
                               cudaStream_t stream);

// Correlations of all units of the first item of x with those of the first of y, 0 for constant
// ones.
cudaError_t correlate_units(const CentredSums& sums, int64_t rows, int64_t cols, double* out,
                            cudaStream_t stream);

// Blocks X_k'Y_k (rows x cols), k < count, of centred samples, zeros for constant units; or,
// without `center`, as they are. X_k are the units from row + k * step on, Y_k those from column +
// k * cols.
struct SumsBlocks {
  int64_t row, step, column;
  int64_t count, rows, cols;
  bool center;
};
cudaError_t take_blocks(const CentredSums& sums, const SumsBlocks& blocks, double* out,
                        cudaStream_t stream);

// out[k] = x[k] / *by.
cudaError_t divide_all(const double* x, int64_t size, const double* by, double* out,
                       cudaStream_t stream);

}  // namespace likewise::cuda

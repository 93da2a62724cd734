#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Rows that are in the order of their folds; these are as equal as can be, larger ones first. A
// single fold is empty: one model of all rows, which leaves out none.
struct FoldShape {
  int64_t rows, folds;

  __host__ __device__ int64_t begin(int64_t fold) const {
    if (folds == 1) return 0;
    const int64_t rest = rows % folds;
    return fold * (rows / folds) + (fold < rest ? fold : rest);
  }
  __host__ __device__ int64_t size(int64_t fold) const { return begin(fold + 1) - begin(fold); }
  int64_t most_left_out() const { return size(0); }
  int64_t most_trained() const { return rows - size(folds - 1); }
};

// out = matrices (rows x cols) minus the middle of a few samples of every column, which no single
// one carries away: equal values become exact zeros, and means are small. With constant_units
// (count), columns are brought near 1 by powers of two, and those of zeros are added to it.
void move_to_middle(const double* x, int64_t count, int64_t rows, int64_t cols, double* out,
                    int64_t* constant_units, cudaStream_t stream);

// What leaving out one fold after the other makes of matrices (rows x cols), minus the mean of the
// rows that stay if there is an intercept: one block of each array per matrix and fold, with zeros
// below the last row. Columns of equal values have exact zeros in `train` and as `squares`.
struct FoldParts {
  double* train;     // (count, folds, most_trained, cols)
  double* left_out;  // (count, folds, most_left_out, cols)
  // Sums of squares per column, of `train` and of the rows left out about their own mean; both null
  // where nobody asks.
  double *train_squares, *squares;  // (count, folds, cols)
  // Rows left out are about their own mean, however far from that of the others; a last row more
  // (of most_left_out + 1) has the one minus the other.
  bool apart = false;
};
void split_folds(const double* x, int64_t count, const FoldShape& shape, int64_t cols,
                 bool intercept, const FoldParts& parts, cudaStream_t stream);

}  // namespace likewise::cuda

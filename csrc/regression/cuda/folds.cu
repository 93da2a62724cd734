// Parts of cross-validation. Bytes over bandwidth: every element is read four times per fold and
// written once.

#include "core/cuda/columns.cuh"
#include "regression/cuda/folds.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostMatrices = 32768;  // of one launch, times folds

// Of a column x, `cols` elements apart, the rows inside or outside [begin, end).
struct Part {
  const double* x;
  int64_t rows, cols, begin, end;
  bool inside;

  __device__ bool has(int64_t row) const { return (row >= begin && row < end) == inside; }
  // The value minus that of the first row: equal values become exact zeros.
  __device__ double difference(int64_t row) const { return x[row * cols] - reference(); }
  __device__ double reference() const { return x[(inside ? begin : begin > 0 ? 0 : end) * cols]; }
  __device__ int64_t size() const { return inside ? end - begin : rows - (end - begin); }

  __device__ double mean_difference(double* shared) const {
    double sum = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) sum += has(i) ? difference(i) : 0;
    return over_stripes<Sum>(sum, shared) / double(size());
  }
};

__global__ void __launch_bounds__(kColumns* kStripes)
    split_kernel(const double* __restrict__ x, FoldShape shape, int64_t cols, bool intercept,
                 FoldParts parts, int64_t most_trained, int64_t most_left_out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool exists = column < cols;
  const int64_t at = exists ? column : 0;
  const int64_t fold = blockIdx.y % shape.folds;
  const double* const from = x + blockIdx.y / shape.folds * shape.rows * cols + at;
  const int64_t begin = shape.begin(fold), end = shape.begin(fold + 1);
  const Part trained{from, shape.rows, cols, begin, end, false};
  const Part left{from, shape.rows, cols, begin, end, true};
  const double mean = trained.mean_difference(shared);
  double* const to_train = parts.train + int64_t(blockIdx.y) * most_trained * cols + at;
  double* const to_left = parts.left_out + int64_t(blockIdx.y) * most_left_out * cols + at;
  double train_squares = 0;
  for (int64_t i = threadIdx.y; i < shape.rows && exists; i += kStripes) {
    const bool left_out = left.has(i);
    // The reference is the same for both: that of the rows that stay.
    const double value = intercept ? trained.difference(i) - mean : from[i * cols];
    if (left_out) {
      to_left[(i - begin) * cols] = value;
    } else {
      to_train[(i < begin ? i : i - (end - begin)) * cols] = value;
      train_squares += value * value;
    }
  }
  for (int64_t i = trained.size() + threadIdx.y; i < most_trained && exists; i += kStripes) {
    to_train[i * cols] = 0;
  }
  for (int64_t i = left.size() + threadIdx.y; i < most_left_out && exists; i += kStripes) {
    to_left[i * cols] = 0;
  }
  if (!parts.squares) return;  // the whole block
  train_squares = over_stripes<Sum>(train_squares, shared);
  const double own_mean = left.mean_difference(shared);
  double squares = 0;
  for (int64_t i = begin + threadIdx.y; i < end; i += kStripes) {
    const double value = left.difference(i) - own_mean;
    squares += value * value;
  }
  squares = over_stripes<Sum>(squares, shared);
  if (exists && threadIdx.y == 0) {
    parts.train_squares[int64_t(blockIdx.y) * cols + column] = train_squares;
    parts.squares[int64_t(blockIdx.y) * cols + column] = squares;
  }
}

}  // namespace

cudaError_t split_folds(const double* x, int64_t count, const FoldShape& shape, int64_t cols,
                        bool intercept, const FoldParts& parts, cudaStream_t stream) {
  const int64_t trained = shape.most_trained(), left = shape.most_left_out();
  const int64_t most = kMostMatrices / shape.folds > 1 ? kMostMatrices / shape.folds : 1;
  for (int64_t first = 0; first < count; first += most) {
    const int64_t items = count - first < most ? count - first : most;
    const int64_t done = first * shape.folds;
    const FoldParts part{parts.train + done * trained * cols, parts.left_out + done * left * cols,
                         parts.squares ? parts.train_squares + done * cols : nullptr,
                         parts.squares ? parts.squares + done * cols : nullptr};
    const cudaError_t error = launch(
        split_kernel, blocks_of_columns(cols, items * shape.folds), dim3(kColumns, kStripes), 0,
        stream, x + first * shape.rows * cols, shape, cols, intercept, part, trained, left);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // namespace likewise::cuda

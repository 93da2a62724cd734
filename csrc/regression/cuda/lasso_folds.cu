// Cross-validation of the lasso: every kernel reads its arrays once, scoring twice: bytes over
// bandwidth.

#include "core/cuda/columns.cuh"
#include "regression/cuda/lasso_kernels.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kColumns* kStripes)
    squares_kernel(const double* __restrict__ x, int64_t rows, int64_t cols,
                   double* __restrict__ squares) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  x += int64_t(blockIdx.y) * rows * cols + (inside ? column : 0);
  double sum = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) sum += x[i * cols] * x[i * cols];
  sum = over_stripes<Sum>(sum, shared);
  if (inside && threadIdx.y == 0) squares[blockIdx.y * cols + column] = sum;
}

__global__ void __launch_bounds__(kColumns* kStripes)
    scale_kernel(FoldParts parts, FoldShape shape, int64_t cols, int64_t most_trained,
                 int64_t most_left_out) {
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x, model = blockIdx.y;
  if (column >= cols) return;
  const double squares = parts.train_squares[model * cols + column];
  const double factor = squares == 0 ? 0 : 1 / sqrt(squares);
  const double in_deviations = factor * sqrt(double(shape.rows - shape.size(model % shape.folds)));
  double* const train = parts.train + model * most_trained * cols + column;
  double* const left_out = parts.left_out + model * most_left_out * cols + column;
  for (int64_t i = threadIdx.y; i < most_trained; i += kStripes) train[i * cols] *= factor;
  for (int64_t i = threadIdx.y; i < most_left_out; i += kStripes) {
    left_out[i * cols] *= in_deviations;
  }
}

// Numbers x[0], x[step], ...
struct Strided {
  const double* x;
  int64_t rows, step;

  __device__ double operator[](int64_t i) const { return x[i * step]; }
  // In every thread of the column. Equal numbers have a spread of exactly zero.
  __device__ double mean(double* shared) const {
    double sum = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) sum += (*this)[i];
    return over_stripes<Sum>(sum, shared) / double(rows);
  }
  __device__ bool constant(double* shared) const {
    double spread = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
      spread = Largest::of(fabs((*this)[i] - x[0]), spread);
    }
    return over_stripes<Largest>(spread, shared) == 0;
  }
};

__global__ void __launch_bounds__(kColumns* kStripes)
    held_kernel(HeldOut held, int64_t most, double* __restrict__ correlation,
                double* __restrict__ loss) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t cols = held.penalties * held.count, targets = held.widths.targets;
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x, item = blockIdx.y;
  const int64_t from = column < cols ? column : 0, target = held.first + from % held.count;
  double mean_r = 0, mean_error = 0;
  for (int64_t fold = 0; fold < held.shape.folds; ++fold) {
    const int64_t row = (item * held.shape.folds + fold) * most, rows = held.shape.size(fold);
    const Strided p{held.predictions + row * cols + from, rows, cols};
    const Strided y{held.left_out + row * targets + target, rows, targets};
    const double mean_p = p.mean(shared), mean_y = y.mean(shared);
    double inner = 0, squares_p = 0, squares_y = 0, errors = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
      const double moved = p[i] - mean_p, off = y[i] - mean_y, error = y[i] - p[i];
      inner += moved * off;
      squares_p += moved * moved;
      squares_y += off * off;
      errors += error * error;
    }
    inner = over_stripes<Sum>(inner, shared);
    const double norms =
        sqrt(over_stripes<Sum>(squares_p, shared) * over_stripes<Sum>(squares_y, shared));
    mean_error += over_stripes<Sum>(errors, shared) / double(rows);
    const bool constant = p.constant(shared), constant_y = y.constant(shared);
    if (!constant && !constant_y && !(norms <= 0)) mean_r += inner / norms;
  }
  if (column >= cols || threadIdx.y > 0) return;
  const bool nothing = held.widths.nothing_varies(item);
  const int64_t at = (item * held.penalties + column / held.count) * targets + target;
  correlation[at] = nothing ? NAN : mean_r / double(held.shape.folds);
  loss[at] = nothing ? NAN : mean_error / double(2 * held.shape.folds);
}

}  // namespace

void column_squares(const double* x, int64_t count, int64_t rows, int64_t cols, double* squares,
                    cudaStream_t stream) {
  launch(squares_kernel, blocks_of_columns(cols, count), dim3(kColumns, kStripes), 0, stream, x,
         rows, cols, squares);
}

void scale_folds(const FoldParts& parts, int64_t items, const FoldShape& shape, int64_t cols,
                 cudaStream_t stream) {
  const int64_t models = items * shape.folds;
  launch(scale_kernel, blocks_of_columns(cols, models), dim3(kColumns, kStripes), 0, stream, parts,
         shape, cols, shape.most_trained(), shape.most_left_out());
}

void score_held_out(const HeldOut& held, double* correlation, double* loss, cudaStream_t stream) {
  launch(held_kernel, blocks_of_columns(held.penalties * held.count, held.items),
         dim3(kColumns, kStripes), 0, stream, held, held.shape.most_left_out(), correlation, loss);
}

}  // namespace likewise::cuda

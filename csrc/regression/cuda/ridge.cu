// What ridge regression needs beside products and eigenvectors. Arrays are read once:
// bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "regression/cuda/directions.cuh"
#include "regression/cuda/ridge_kernels.h"
#include "regression/rounding.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads) penalty_kernel(Penalties p) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, total = p.count * p.alphas;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t item = k / p.alphas, units = p.cols - p.constant_units[item];
    const int64_t most = p.rows - 1 < units ? p.rows - 1 : units;
    const double given = p.given[k % p.alphas], norm = p.norms[item];
    double squares = 1;
    for (int64_t j = 0; p.means && j < p.cols; ++j) {
      const double mean = p.means[item * p.cols + j];
      squares -= double(p.rows) * mean * mean;
    }
    const double relative = given * (squares / double(most > 1 ? most : 1));
    p.penalties[k] = p.relative ? relative : norm > 0 ? given / norm / norm : given;
    p.in_units[k] = p.relative ? relative * (norm * norm) : given;
  }
}

__global__ void __launch_bounds__(kMostThreads) direction_kernel(TrainedValues d) {
  SHARED_ARRAY(int64_t, partial, 32);
  double* const values = d.values + size_t(blockIdx.x) * d.size;
  double largest = 0;
  for (int64_t k = 0; k < d.size; ++k) largest = values[k] > largest ? values[k] : largest;
  __syncthreads();  // nobody writes before all have read
  if (d.roots) largest *= largest;
  const double least = double(d.cols) * 0x1p-52 * largest;
  // Roots are known to rounding of the largest, values are not.
  const double absent = d.roots ? double(d.cols) * 0x1p-52 * least : -1;
  int64_t rank = 0;
  for (int64_t k = threadIdx.x; k < d.size; k += blockDim.x) {
    const double value = d.roots ? values[k] * values[k] : values[k];
    const bool counts = value > least;
    values[k] = counts ? value : value <= absent ? -INFINITY : value > 0 ? -value : 0;
    rank += counts;
  }
  rank = block_sum(rank, partial);
  __syncthreads();
  if (threadIdx.x > 0) return;
  d.ranks[blockIdx.x] = rank;
  d.weak_from[blockIdx.x] = largest > 0 ? kWeakPenalty * largest : INFINITY;
  const int64_t trained = d.shape.rows - d.shape.size(int64_t(blockIdx.x) % d.shape.folds);
  for (int64_t most = trained - d.intercept; most < d.size && !d.roots; ++most) {
    int64_t smallest = -1;
    for (int64_t k = 0; k < d.size; ++k) {
      const bool weak = values[k] <= 0 && values[k] > -INFINITY;
      if (weak && (smallest < 0 || values[k] > values[smallest])) smallest = k;
    }
    if (smallest >= 0) values[smallest] = -INFINITY;
  }
}

__device__ bool has_no_variance(const Choice& choice, int64_t item, int64_t targets) {
  return choice.constant_x[item] == choice.cols || choice.constant_y[item] == targets;
}

__global__ void __launch_bounds__(kMostThreads)
    shrink_kernel(Fit fit, const double* __restrict__ chosen, int64_t only,
                  double* __restrict__ coefficients, double* __restrict__ terms) {
  const Candidates& c = fit.sources;
  const int64_t column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, batch = blockIdx.y;
  if (column >= fit.targets) return;
  const int64_t model = batch / fit.per_model;
  const double penalty = chosen ? chosen[batch * fit.targets + column]
                                : c.penalties[model / c.shape.folds * c.alphas + only];
  const double* const values = c.values + model * c.size;
  double sum = 0;
  for (int64_t k = 0; k < c.size; ++k) {
    const int64_t at = (batch * c.size + k) * fit.targets + column;
    const double of_unit = fit.moments[at] * shrinkage(values[k], penalty, c.weak_from[model]);
    coefficients[at] = of_unit;
    if (terms) sum += of_unit * of_unit * fit.held_squares[model * c.size + k];
  }
  if (terms) terms[batch * fit.targets + column] = sum;
}

__global__ void __launch_bounds__(kColumns* kStripes, 2)  // 128 registers: none spill
    held_kernel(const double* __restrict__ held, FoldShape shape, int64_t most, int64_t size,
                double* __restrict__ squares) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const int64_t model = blockIdx.y, rows = shape.size(model % shape.folds);
  const double* const z = held + model * most * size + (column < size ? column : 0);
  double mean = 0, sum = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) mean += z[i * size];
  mean = over_stripes<Sum>(mean, shared) / double(rows);
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    sum += (z[i * size] - mean) * (z[i * size] - mean);
  }
  sum = over_stripes<Sum>(sum, shared);
  if (column < size && threadIdx.y == 0) squares[model * size + column] = sum;
}

__global__ void __launch_bounds__(kColumns* kStripes)
    score_kernel(Held held, Choice choice, int64_t most, double* __restrict__ correlation,
                 double* __restrict__ determination) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x, targets = held.targets;
  const int64_t model = blockIdx.y, rows = held.shape.size(model % held.shape.folds);
  const int64_t begin = model * most * targets + (column < targets ? column : 0);
  const double *const p = held.predictions + begin, *const y = held.left_out + begin;
  const double apart = y[(most - 1) * targets] - p[(most - 1) * targets];
  double mean_p = 0, mean_y = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    mean_p += p[i * targets];
    mean_y += y[i * targets];
  }
  mean_p = over_stripes<Sum>(mean_p, shared) / double(rows);
  mean_y = over_stripes<Sum>(mean_y, shared) / double(rows);
  double squares = 0, inner = 0, errors = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double moved = p[i * targets] - mean_p, error = y[i * targets] - p[i * targets] + apart;
    squares += moved * moved;
    inner += moved * (y[i * targets] - mean_y);
    errors += error * error;
  }
  squares = over_stripes<Sum>(squares, shared);
  inner = over_stripes<Sum>(inner, shared);
  errors = over_stripes<Sum>(errors, shared);
  if (column >= targets || threadIdx.y > 0) return;
  const int64_t at = model * targets + column;
  const double of_target = held.squares[at];
  double r = 0, r2 = 0;
  if (of_target > 0 || !(of_target == of_target)) {
    const double flat = kFlatPrediction * held.terms[at];
    if (!(squares <= flat)) r = inner / sqrt(squares * of_target);
    r = r > 1 ? 1 : r < -1 ? -1 : r;
    r2 = 1 - errors / of_target;
  }
  if (has_no_variance(choice, model / held.shape.folds, targets)) {
    r = r2 = choice.alpha[at] = NAN;
  }
  correlation[at] = r;
  determination[at] = r2;
}

__global__ void __launch_bounds__(kColumns* kStripes)
    error_kernel(Held held, int64_t most, double* __restrict__ errors, int64_t step) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x, targets = held.targets;
  const int64_t item = blockIdx.y;
  double mean = 0;
  for (int64_t fold = 0; fold < held.shape.folds; ++fold) {
    const int64_t rows = held.shape.size(fold);
    const int64_t begin =
        (item * held.shape.folds + fold) * most * targets + (column < targets ? column : 0);
    const double *const p = held.predictions + begin, *const y = held.left_out + begin;
    const double apart = y[(most - 1) * targets] - p[(most - 1) * targets];
    double sum = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
      const double error = y[i * targets] - p[i * targets] + apart;
      sum += error * error;
    }
    mean += over_stripes<Sum>(sum, shared) / double(rows);
  }
  if (column < targets && threadIdx.y == 0) {
    errors[item * step + column] = mean / double(held.shape.folds);
  }
}

__global__ void __launch_bounds__(kMostThreads)
    mean_kernel(const double* __restrict__ x, int64_t length, int64_t inner,
                double* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t place = blockIdx.x, begin = place / inner * length * inner + place % inner;
  double sum = 0;
  for (int64_t k = threadIdx.x; k < length; k += blockDim.x) sum += x[begin + k * inner];
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[place] = sum / double(length);
}

}  // namespace

void scale_penalties(const Penalties& penalties, cudaStream_t stream) {
  const int64_t total = penalties.count * penalties.alphas;
  launch(penalty_kernel, blocks_for(total), threads_for(total), 0, stream, penalties);
}

void keep_directions(const TrainedValues& directions, cudaStream_t stream) {
  launch(direction_kernel, dim3(unsigned(directions.models)), threads_for(directions.size), 0,
         stream, directions);
}

void squares_of_held(const double* held, int64_t models, const FoldShape& shape, int64_t size,
                     double* squares, cudaStream_t stream) {
  launch(held_kernel, blocks_of_columns(size, models), dim3(kColumns, kStripes), 0, stream, held,
         shape, held_rows(shape), size, squares);
}

void shrink(const Fit& fit, const double* chosen, int64_t only, double* coefficients, double* terms,
            cudaStream_t stream) {
  const dim3 threads = threads_for(fit.targets);
  const dim3 blocks(unsigned((fit.targets + threads.x - 1) / threads.x), unsigned(fit.batches()));
  launch(shrink_kernel, blocks, threads, 0, stream, fit, chosen, only, coefficients, terms);
}

void score_predictions(const Held& held, const Choice& choice, double* correlation,
                       double* determination, cudaStream_t stream) {
  const int64_t models = held.items * held.shape.folds;
  launch(score_kernel, blocks_of_columns(held.targets, models), dim3(kColumns, kStripes), 0, stream,
         held, choice, held_rows(held.shape), correlation, determination);
}

void average_errors(const Held& held, double* errors, int64_t step, cudaStream_t stream) {
  launch(error_kernel, blocks_of_columns(held.targets, held.items), dim3(kColumns, kStripes), 0,
         stream, held, held_rows(held.shape), errors, step);
}

void mean_over(const double* x, int64_t outer, int64_t length, int64_t inner, double* out,
               cudaStream_t stream) {
  launch(mean_kernel, dim3(unsigned(outer * inner)), threads_for(length), 0, stream, x, length,
         inner, out);
}

}  // namespace likewise::cuda

// Choosing penalties reads the moments once per penalty, everything else reads its arrays once:
// bytes over bandwidth, beside decompositions and products.

#include "core/cuda/kernel.cuh"
#include "regression/cuda/directions.cuh"
#include "regression/cuda/ridge_moments_kernels.h"
#include "regression/flat_prediction.h"

namespace likewise::cuda {
namespace {

__device__ double unit_of(const GivenPenalties& p, int64_t size) {
  if (!p.trace) return 1 / (*p.unit * *p.unit);
  const int64_t units = size - *p.constant_units, most = *p.samples - 1;
  const int64_t varying = most < units ? most : units;
  return *p.trace / double(varying > 1 ? varying : 1);
}

// A thread per column of a target.
__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill
    fit_kernel(MomentsFit fit, GivenPenalties penalties, double* __restrict__ coefficients) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, total = fit.count * fit.cols;
  const double freedom = *fit.trained - 1 - double(*fit.rank);
  const double unit = unit_of(penalties, fit.size);
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t target = k / fit.cols, column = k % fit.cols;
    const int64_t begin = target * fit.size * fit.cols + column;
    double* const moments = fit.moments + begin;
    const double squares = fit.train_squares[target * fit.step + column];
    drop_rounding(fit.values, moments, fit.size, fit.cols, squares, *fit.trained);
    const double unexplained =
        unexplained_squares(fit.values, moments, fit.size, fit.cols, squares, freedom);
    double best = INFINITY, chosen = penalties.given[0] * unit;
    for (int64_t a = 0; a < penalties.count; ++a) {
      const double penalty = penalties.given[a] * unit;
      const double score = cross_validation(fit.values, moments, fit.size, fit.cols, penalty,
                                            *fit.weak_from, freedom, unexplained);
      if (score < best) {
        best = score;
        chosen = penalty;
      }
    }
    for (int64_t d = 0; d < fit.size; ++d) {
      coefficients[begin + d * fit.cols] =
          moments[d * fit.cols] * shrinkage(fit.values[d], chosen, *fit.weak_from);
    }
  }
}

__global__ void __launch_bounds__(kMostThreads)
    correlation_kernel(MomentsFit fit, const double* __restrict__ gram,
                       const double* __restrict__ coefficients, const double* __restrict__ against,
                       const double* __restrict__ products, const double* __restrict__ squares,
                       double* __restrict__ correlation) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t target = blockIdx.x, begin = target * fit.size * fit.cols;
  double sum = 0;
  for (int64_t column = threadIdx.x; column < fit.cols; column += blockDim.x) {
    double inner = 0, quadratic = 0, terms = 0;
    for (int64_t d = 0; d < fit.size; ++d) {
      const int64_t at = begin + d * fit.cols + column;
      inner += coefficients[at] * against[at];
      quadratic += coefficients[at] * products[at];
      terms += coefficients[at] * coefficients[at] * gram[d * (fit.size + 1)];
    }
    const double own = squares[target * fit.step + column];
    if (own == 0 || quadratic <= kFlatPrediction * terms) continue;
    const double r = inner / sqrt(quadratic * own);
    sum += r > 1 ? 1 : r < -1 ? -1 : r;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) correlation[target] = sum / double(fit.cols);
}

__global__ void __launch_bounds__(kMostThreads)
    fold_kernel(const double* __restrict__ correlations, int64_t folds, int64_t size, int64_t cols,
                const double* __restrict__ traces_x, const double* __restrict__ traces_y,
                double* __restrict__ scores) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    double sum = 0;
    for (int64_t f = 0; f < folds; ++f) sum += correlations[f * size + k];
    const bool constant = traces_x[k / cols] == 0 || traces_y[k % cols] == 0;
    scores[k] = constant ? NAN : sum / double(folds);
  }
}

}  // namespace

cudaError_t fit_moments(const MomentsFit& fit, const GivenPenalties& penalties,
                        double* coefficients, cudaStream_t stream) {
  const int64_t total = fit.count * fit.cols;
  return launch(fit_kernel, blocks_for(total), threads_for(total), 0, stream, fit, penalties,
                coefficients);
}

cudaError_t correlate_moments(const MomentsFit& fit, const double* gram, const double* coefficients,
                              const double* against, const double* products, const double* squares,
                              double* correlation, cudaStream_t stream) {
  return launch(correlation_kernel, dim3(unsigned(fit.count)), threads_for(fit.cols), 0, stream,
                fit, gram, coefficients, against, products, squares, correlation);
}

cudaError_t mean_of_folds(const double* correlations, int64_t folds, int64_t rows, int64_t cols,
                          const double* traces_x, const double* traces_y, double* scores,
                          cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(fold_kernel, blocks_for(size), threads_for(size), 0, stream, correlations, folds,
                size, cols, traces_x, traces_y, scores);
}

}  // namespace likewise::cuda

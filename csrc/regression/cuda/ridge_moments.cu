// Arrays are read once: bytes over bandwidth, beside decompositions and products.

#include "core/cuda/kernel.cuh"
#include "regression/cuda/ridge_moments_kernels.h"
#include "regression/flat_prediction.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    given_kernel(GivenPenalties p, double* __restrict__ penalties) {
  double unit = 1 / (*p.unit * *p.unit);
  if (p.trace) {
    const int64_t units = p.size - *p.constant_units, most = *p.samples - 1;
    const int64_t varying = most < units ? most : units;
    unit = *p.trace / double(varying > 1 ? varying : 1);
  }
  for (int64_t a = threadIdx.x; a < p.count; a += blockDim.x) penalties[a] = p.given[a] * unit;
}

__global__ void __launch_bounds__(kMostThreads)
    correlation_kernel(FoldMoments f, double* __restrict__ correlation) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t target = blockIdx.x, begin = target * f.size * f.cols;
  double sum = 0;
  for (int64_t column = threadIdx.x; column < f.cols; column += blockDim.x) {
    double inner = 0, quadratic = 0, terms = 0;
    for (int64_t d = 0; d < f.size; ++d) {
      const int64_t at = begin + d * f.cols + column;
      inner += f.coefficients[at] * f.against[at];
      quadratic += f.coefficients[at] * f.products[at];
      terms += f.coefficients[at] * f.coefficients[at] * f.gram[d * (f.size + 1)];
    }
    const double own = f.squares[target * f.cols + column];
    if (own == 0 || quadratic <= kFlatPrediction * terms) continue;
    const double r = inner / sqrt(quadratic * own);
    sum += r > 1 ? 1 : r < -1 ? -1 : r;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) correlation[target] = sum / double(f.cols);
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

cudaError_t scale_given(const GivenPenalties& given, double* penalties, cudaStream_t stream) {
  return launch(given_kernel, dim3(1), threads_for(given.count), 0, stream, given, penalties);
}

cudaError_t correlate_moments(const FoldMoments& fold, double* correlation, cudaStream_t stream) {
  return launch(correlation_kernel, dim3(unsigned(fold.count)), threads_for(fold.cols), 0, stream,
                fold, correlation);
}

cudaError_t mean_of_folds(const double* correlations, int64_t folds, int64_t rows, int64_t cols,
                          const double* traces_x, const double* traces_y, double* scores,
                          cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(fold_kernel, blocks_for(size), threads_for(size), 0, stream, correlations, folds,
                size, cols, traces_x, traces_y, scores);
}

}  // namespace likewise::cuda

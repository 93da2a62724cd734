// Weights are made once per model and penalty; moments are read once and their squares written:
// bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "regression/cuda/choice.h"
#include "regression/cuda/directions.cuh"

namespace likewise::cuda {
namespace {

__device__ double samples_of(const Candidates& c, int64_t model) {
  if (c.trained) return c.trained[model];
  return double(c.shape.rows - c.shape.size(model % c.shape.folds));
}

// A block per penalty and model; the last of a model is for no penalty.
__global__ void __launch_bounds__(kMostThreads) weight_kernel(Candidates c) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t a = blockIdx.x, model = blockIdx.y, place = model * (c.alphas + 1) + a;
  const double* const values = c.values + model * c.size;
  double* const weights = c.weights + place * c.size;
  const bool explains = a == c.alphas;
  const double penalty = explains ? 0 : c.penalties[model / c.shape.folds * c.alphas + a];
  const double weak_from = c.weak_from[model];
  double freedom = 0, largest = 0;
  for (int64_t k = threadIdx.x; k < c.size; k += blockDim.x) {
    const double value = values[k];
    double weight = 0;
    if (explains) {
      weight = value > 0 ? 1 / value : 0;
      largest = value > largest ? value : largest;
    } else if (const double shrunk = shrinkage(value, penalty, weak_from); value > 0) {
      const double kept = penalty * shrunk;
      freedom += kept;
      weight = kept * kept / value;
    } else if (shrunk > 0) {  // the residual falls by (w + 2 a) / (w + a)^2 of the squares
      freedom += value * shrunk;
      weight = -(2 * penalty - value) * shrunk * shrunk;
    }
    weights[k] = weight;
  }
  freedom = block_sum(freedom, partial);
  __syncthreads();
  for (int step = 16; step > 0; step /= 2) {
    const double other = __shfl_xor_sync(kAllLanes, largest, step);
    largest = other > largest ? other : largest;
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = largest;
  __syncthreads();
  if (threadIdx.x > 0) return;
  c.freedom[place] = samples_of(c, model) - 1 - double(c.ranks[model]) + freedom;
  if (!explains) return;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) {
    largest = partial[w] > largest ? partial[w] : largest;
  }
  c.largest[model] = largest;
}

// Moments that are no more than their own rounding become 0: predictions made of them would be
// signs of rounding.
__global__ void __launch_bounds__(kMostThreads)
    square_kernel(Fit fit, int64_t total, double* __restrict__ squares) {
  const Candidates& c = fit.sources;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    const int64_t batch = k / (c.size * fit.targets), model = batch / fit.per_model;
    const double share = samples_of(c, model) * 0x1p-52;
    const double of_target = fit.train_squares[batch * fit.targets + k % fit.targets];
    const double along = fit.moments[k], square = along * along;
    const bool rounding = square <= share * share * c.largest[model] * of_target;
    if (rounding) fit.moments[k] = 0;
    squares[k] = rounding ? 0 : square;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    pick_kernel(Fit fit, const double* __restrict__ residuals, Choice choice) {
  const Candidates& c = fit.sources;
  const int64_t target = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, batch = blockIdx.y;
  if (target >= fit.targets) return;
  const int64_t model = batch / fit.per_model, item = model / c.shape.folds;
  const int64_t at = batch * fit.targets + target;
  const double* const sums = residuals + batch * (c.alphas + 1) * fit.targets + target;
  const double* const freedom = c.freedom + model * (c.alphas + 1);
  // Exactly zero where the model can fit any target, and never below.
  double unexplained = fit.train_squares[at] - sums[c.alphas * fit.targets];
  if (freedom[c.alphas] <= 0 || unexplained < 0) unexplained = 0;
  double best = INFINITY;
  int64_t which = 0;
  for (int64_t a = 0; a < c.alphas; ++a) {
    const double residual = unexplained + sums[a * fit.targets];
    const double score = (residual > 0 ? residual : 0) / (freedom[a] * freedom[a]);
    if (score < best) {
      best = score;
      which = a;
    }
  }
  choice.chosen[at] = c.penalties[item * c.alphas + which];
  if (!choice.counts) return;
  choice.alpha[at] = c.in_units[item * c.alphas + which];
  const bool constant =
      choice.constant_x[item] == choice.cols || choice.constant_y[item] == fit.targets;
  if (!constant) atomicAdd(choice.counts + which, 1ull);
}

}  // namespace

void fill_weights(const Candidates& candidates, cudaStream_t stream) {
  launch(weight_kernel, dim3(unsigned(candidates.alphas + 1), unsigned(candidates.models)),
         threads_for(candidates.size), 0, stream, candidates);
}

void square_moments(const Fit& fit, double* squares, cudaStream_t stream) {
  const int64_t total = fit.batches() * fit.sources.size * fit.targets;
  launch(square_kernel, blocks_for(total), threads_for(total), 0, stream, fit, total, squares);
}

void pick_penalties(const Fit& fit, const double* residuals, const Choice& choice,
                    cudaStream_t stream) {
  const dim3 threads = threads_for(fit.targets);
  const dim3 blocks(unsigned((fit.targets + threads.x - 1) / threads.x), unsigned(fit.batches()));
  launch(pick_kernel, blocks, threads, 0, stream, fit, residuals, choice);
}

}  // namespace likewise::cuda

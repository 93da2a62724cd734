// What Procrustes scores need beside products and the polar iteration. Distances read every element
// of the moved items once: bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "procrustes/cuda/procrustes_kernels.h"

namespace likewise::cuda {
namespace {

// Below this gap the distance is the more precise of the two.
constexpr double kLargeGap = 0.1;

__global__ void __launch_bounds__(kMostThreads) reshape_kernel(Reshaping r) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = blockIdx.x;
  double* const values = r.values + item * r.width;
  const int64_t rank = r.ranks[item];
  // Data far above 1 are brought down to it, for the sake of squares.
  const double norm = r.norms[item], one = r.alpha > 0 && norm > 1 ? 1 / norm : 1;
  const double least = (1 - r.alpha) * one;
  double squares = 0;
  for (int64_t k = threadIdx.x; k < r.width; k += blockDim.x) {
    const double reshaped = r.alpha * values[k] * (norm * one) + least;
    squares += reshaped * reshaped;
    values[k] = reshaped;
  }
  // Without those that do not exist.
  squares = block_sum(squares, partial) - double(r.width - rank) * (least * least);
  for (int64_t k = threadIdx.x; k < r.width; k += blockDim.x) {
    values[k] = rank > 0 ? values[k] / sqrt(squares) : 0;
  }
  if (threadIdx.x == 0 && rank == 0) r.norms[item] = 0;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    distance_kernel(const T* __restrict__ moved, const T* __restrict__ y, int64_t step,
                    int64_t size, double* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const size_t pair = blockIdx.x;
  double sum = 0;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
    const double difference = double(moved[pair * size + k]) - double(y[pair * step + k]);
    sum += difference * difference;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[pair] = sum;
}

__device__ double score_of(double gap, double norm_x, double norm_y, GapScore score) {
  const double g = gap < 0 ? 0 : gap;  // rounding; NaN stays NaN
  switch (score) {
    case GapScore::angular:
      return 2 * asin(sqrt(g / 2));
    case GapScore::euclidean:
      return sqrt(2 * g);
    case GapScore::similarity:
      return 1 - g;
    case GapScore::euclidean_unscaled:
      // |aU - bV|^2 = (a - b)^2 + 2 a b gap for unit-norm U and V; hypot cannot overflow.
      return hypot(norm_x - norm_y, sqrt(norm_x) * sqrt(norm_y) * sqrt(2 * g));
  }
  return NAN;
}

__global__ void __launch_bounds__(kMostThreads)
    score_kernel(Gaps gaps, GapScore score, double* __restrict__ scores,
                 int64_t* __restrict__ close) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < gaps.count; k += step) {
    const double norm_x = gaps.norm_x[k * gaps.step_x], norm_y = gaps.norm_y[k * gaps.step_y];
    double gap = 1 - gaps.similarity[k];
    if (gaps.squared_distance && gap < kLargeGap) gap = gaps.squared_distance[k] / 2;
    if (norm_x == 0 || norm_y == 0) gap = NAN;
    scores[k] = score_of(gap, norm_x, norm_y, score);
    if (gap < gaps.too_small && gaps.too_small > 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(close), 1ull);
    }
  }
}

__global__ void __launch_bounds__(kMostThreads)
    mirror_kernel(const double* __restrict__ norms, int64_t count, GapScore score,
                  double* __restrict__ scores) {
  const int64_t i = blockIdx.x;
  for (int64_t j = threadIdx.x; j < i; j += blockDim.x)
    scores[i * count + j] = scores[j * count + i];
  if (threadIdx.x == 0) {
    const double gap = norms[i] > 0 && norms[i] < INFINITY ? 0 : NAN;
    scores[i * count + i] = score_of(gap, norms[i], norms[i], score);
  }
}

}  // namespace

void reshape_values(const Reshaping& reshaping, cudaStream_t stream) {
  launch(reshape_kernel, dim3(unsigned(reshaping.count)), threads_for(reshaping.width), 0, stream,
         reshaping);
}

template <class T>
void squared_distances(const T* moved, const T* y, int64_t step, int64_t count, int64_t size,
                       double* out, cudaStream_t stream) {
  launch(distance_kernel<T>, dim3(unsigned(count)), threads_for(size), 0, stream, moved, y, step,
         size, out);
}

void score_gaps(const Gaps& gaps, GapScore score, double* scores, int64_t* close,
                cudaStream_t stream) {
  launch(score_kernel, blocks_for(gaps.count), threads_for(gaps.count), 0, stream, gaps, score,
         scores, close);
}

void mirror_scores(const double* norms, int64_t count, GapScore score, double* scores,
                   cudaStream_t stream) {
  launch(mirror_kernel, dim3(unsigned(count)), threads_for(count), 0, stream, norms, count, score,
         scores);
}

LIKEWISE_INSTANTIATE(squared_distances);

}  // namespace likewise::cuda

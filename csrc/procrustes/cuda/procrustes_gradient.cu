// Elements of items and of products are read and written once: bytes over bandwidth, little beside
// the decompositions. What is of one pair takes one block.

#include "core/cuda/kernel.cuh"
#include "procrustes/cuda/procrustes_gradient.h"

namespace likewise::cuda {
namespace {

constexpr double kEpsilon = 2.220446049250313e-16;
constexpr double kRoundingUnits = 64;  // distances below so many units of rounding are 0

// The value below which one of these is rounding, in every thread.
__device__ double least_of(const double* values, int64_t rank, int64_t rows, int64_t cols) {
  double largest = 0;
  for (int64_t k = 0; k < rank; ++k) largest = values[k] > largest ? values[k] : largest;
  return double(rows > cols ? rows : cols) * kEpsilon * largest;
}

__global__ void __launch_bounds__(kMostThreads) spectrum_kernel(Spectrum s) {
  SHARED_ARRAY(double, partial, 32);
  const bool whole = s.alpha == 1;
  const double least = whole ? least_of(s.values, s.rank, s.rows, s.cols) : 0;
  const double norm = *s.norm, in_data = s.alpha > 0 ? norm : 1;
  // alpha = 1 does without the units of the data; else data far above 1 are brought down to it: for
  // the sake of squares.
  const double one = whole ? 0 : in_data > 1 ? 1 / in_data : 1;
  const double size = whole ? 1 : in_data * one, none = (1 - s.alpha) * one;
  __syncthreads();  // nobody writes before all have read
  double squares = 0;
  for (int64_t k = threadIdx.x; k < s.rank; k += blockDim.x) {
    const double value = s.values[k] <= least ? 0 : s.values[k];
    const double reshaped = s.alpha * (value * size) + none;
    s.scaled[k] = reshaped;
    s.values[k] = value * in_data;
    squares += reshaped * reshaped;
  }
  squares = block_sum(squares, partial);
  const int64_t existing = whole ? s.rank : *s.existing;
  squares -= double(s.rank - existing) * (none * none);
  const double length = existing > 0 ? sqrt(squares) : 0;
  for (int64_t k = threadIdx.x; k < s.rank; k += blockDim.x) {
    s.scaled[k] = length == 0 ? 0 : s.scaled[k] / length;
  }
  if (threadIdx.x > 0) return;
  *s.z_norm = whole ? length * norm : length / one;
  if (existing == 0) *s.norm = 0;
}

__global__ void __launch_bounds__(kMostThreads) direction_kernel(Directions d) {
  SHARED_ARRAY(double, partial, 32);
  const double least = least_of(d.values, d.rank, d.rows, d.cols);
  double sum = 0;
  for (int64_t k = threadIdx.x; k < d.rank; k += blockDim.x) {
    const bool rounding = d.values[k] <= least;
    d.kept[k] = rounding ? 0 : 1;
    if (!rounding) sum += d.values[k];
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) *d.similarity = sum;
}

__global__ void __launch_bounds__(32) relate_kernel(ShapeRelation r, GapScore score) {
  const double norm_x = *r.norm_x, norm_y = *r.norm_y, gap = *r.squared_distance / 2;
  double by_similarity = 0, by_norm_x = 0, by_norm_y = 0;
  if (score == GapScore::similarity) {
    by_similarity = 1;
  } else if (score == GapScore::euclidean_unscaled) {
    const double rest = sqrt(norm_x) * sqrt(norm_y) * sqrt(2 * gap);
    const double distance = hypot(norm_x - norm_y, rest);
    const double largest = norm_x > norm_y ? norm_x : norm_y;
    if (!(distance <= kRoundingUnits * kEpsilon * largest)) {
      const double scaled_x = norm_x / distance, scaled_y = norm_y / distance;
      by_similarity = -scaled_x * norm_y;
      by_norm_x = scaled_x * (norm_x - norm_y * (1 - gap));
      by_norm_y = scaled_y * (norm_y - norm_x * (1 - gap));
    }
  } else if (!(sqrt(2 * gap) <= kRoundingUnits * kEpsilon)) {
    const bool angular = score == GapScore::angular;
    by_similarity = -1 / sqrt(angular ? gap * (2 - gap) : 2 * gap);
  }
  const bool usable = norm_x > 0 && norm_y > 0 && norm_x < INFINITY && norm_y < INFINITY;
  if (!usable) by_similarity = NAN;
  const double of_x = by_similarity / *r.z_norm_x, of_y = by_similarity / *r.z_norm_y;
  r.slopes[0] = {of_x, -of_x * *r.similarity, by_norm_x / norm_x};
  r.slopes[1] = {of_y, -of_y * *r.similarity, by_norm_y / norm_y};
}

__global__ void __launch_bounds__(kMostThreads)
    combine_kernel(const double* __restrict__ rotated, const double* __restrict__ own,
                   const ShapeSlopes* __restrict__ slopes, int64_t size, double* __restrict__ out) {
  const ShapeSlopes by = *slopes;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = by.rotated * rotated[k] + by.own * own[k];
  }
}

__global__ void __launch_bounds__(kMostThreads)
    data_kernel(const double* __restrict__ data, const ShapeSlopes* __restrict__ slopes,
                int64_t size, double* __restrict__ out) {
  const double factor = slopes->data;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] += factor * data[k];
  }
}

// A block per row, in turn and unshape.
__global__ void __launch_bounds__(kMostThreads)
    turn_kernel(const double* __restrict__ within, const double* __restrict__ values, int64_t rank,
                double* __restrict__ turned) {
  const int64_t i = blockIdx.x;
  for (int64_t j = threadIdx.x; j < rank; j += blockDim.x) {
    const double own = within[i * rank + j], other = within[j * rank + i];
    const bool there = values[i] != 0 && values[j] != 0;
    // (own - other) / (s_i + s_j) - own / s_j with one division
    const double sizes = there ? (values[i] + values[j]) * values[j] : INFINITY;
    turned[i * rank + j] = -(own * values[i] + other * values[j]) / sizes;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    unshape_kernel(const double* __restrict__ turned, const double* __restrict__ values,
                   int64_t rank, double alpha, double* __restrict__ gradient) {
  const int64_t begin = int64_t(blockIdx.x) * rank;
  for (int64_t j = threadIdx.x; j < rank; j += blockDim.x) {
    const double own = gradient[begin + j], value = values[j];
    const double straight = value != 0 ? own / value : 0 * own;
    gradient[begin + j] = alpha * own + (1 - alpha) * (turned[begin + j] + straight);
  }
}

}  // namespace

void reshape_spectrum(const Spectrum& spectrum, cudaStream_t stream) {
  launch(spectrum_kernel, dim3(1), threads_for(spectrum.rank), 0, stream, spectrum);
}

void find_directions(const Directions& directions, cudaStream_t stream) {
  launch(direction_kernel, dim3(1), threads_for(directions.rank), 0, stream, directions);
}

void relate_shapes(const ShapeRelation& relation, GapScore score, cudaStream_t stream) {
  launch(relate_kernel, dim3(1), dim3(1), 0, stream, relation, score);
}

void combine_items(const double* rotated, const double* own, const ShapeSlopes* slopes,
                   int64_t size, double* out, cudaStream_t stream) {
  launch(combine_kernel, blocks_for(size), threads_for(size), 0, stream, rotated, own, slopes, size,
         out);
}

void add_data(const double* data, const ShapeSlopes* slopes, int64_t size, double* out,
              cudaStream_t stream) {
  launch(data_kernel, blocks_for(size), threads_for(size), 0, stream, data, slopes, size, out);
}

void turn_within(const double* within, const double* values, int64_t rank, double* turned,
                 cudaStream_t stream) {
  launch(turn_kernel, dim3(unsigned(rank)), threads_for(rank), 0, stream, within, values, rank,
         turned);
}

void unshape(const double* turned, const double* values, int64_t rows, int64_t rank, double alpha,
             double* gradient, cudaStream_t stream) {
  launch(unshape_kernel, dim3(unsigned(rows)), threads_for(rank), 0, stream, turned, values, rank,
         alpha, gradient);
}

}  // namespace likewise::cuda

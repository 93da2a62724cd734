// Every kernel reads n x n doubles once or twice, four of them per side: 32 n^2 bytes over
// bandwidth, beside two products of 2 n^2 d operations each.

#include "core/instantiate.h"
#include "kernels/cuda/gram_gradient.h"
#include "kernels/cuda/kernel_value.cuh"

namespace likewise::cuda {
namespace {

// The sum of `size` numbers, in every thread. A barrier must lie between two uses of `partial`.
__device__ double sum_of(const double* values, int64_t size, double* partial) {
  double sum = 0;
  for (int64_t k = threadIdx.x; k < size; k += blockDim.x) sum += values[k];
  return block_sum(sum, partial);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill
    evaluate_kernel_kernel(GramSide side, GramOptions options) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(double, partial_squares, 32);
  const int64_t i = blockIdx.x;
  const GramItem item = *side.item;
  double sum = 0, squares = 0;
  for (int64_t j = threadIdx.x; j < side.rows; j += blockDim.x) {
    const int64_t k = i * side.rows + j;
    if (options.function == GramFunction::rbf) {
      side.products[k] =
          safe_distance<T>(item, side.norms[i] + side.norms[j], side.products[k], i, j);
    }
    const double value = kernel_value(item, options, side.products[k]);
    side.kernel[k] = value;
    squares += value * value;
    if (!options.unbiased || i != j) sum += value;
  }
  sum = block_sum(sum, partial);
  squares = block_sum(squares, partial_squares);
  if (threadIdx.x > 0) return;
  side.sums[i] = sum;
  side.squares[i] = squares;
}

__global__ void __launch_bounds__(kMostThreads)
    project_kernel_kernel(GramSide side, GramOptions options) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(double, partial_squares, 32);
  const int64_t i = blockIdx.x;
  const double n = double(side.rows);
  const double of_rows = 1 / (options.unbiased ? n - 2 : n);
  const double total = sum_of(side.sums, side.rows, partial);
  const double of_all = total / (options.unbiased ? (n - 1) * (n - 2) : n * n);
  double squares = 0;
  for (int64_t j = threadIdx.x; j < side.rows; j += blockDim.x) {
    const int64_t k = i * side.rows + j;
    double value = side.kernel[k] + of_all - (side.sums[i] + side.sums[j]) * of_rows;
    if (options.unbiased && i == j) value = 0;
    side.kernel[k] = value;
    squares += value * value;
  }
  squares = block_sum(squares, partial_squares);
  if (threadIdx.x == 0) side.projected[i] = squares;
}

__global__ void __launch_bounds__(kMostThreads)
    relate_kernel(GramSide x, GramSide y, const double* __restrict__ products, GramOptions options,
                  double rounding, GramSlopes* __restrict__ slopes) {
  SHARED_ARRAY(double, partial, 32);
  const double* const terms[5] = {x.squares, y.squares, x.projected, y.projected, products};
  double sums[5];
  for (int k = 0; k < 5; ++k) {
    sums[k] = sum_of(terms[k], x.rows, partial);
    __syncthreads();  // `partial` is used again
  }
  if (threadIdx.x > 0) return;
  const double n = double(x.rows), square_x = sums[2], square_y = sums[3], product = sums[4];
  bool usable = x.item->fault == 0 && y.item->fault == 0;
  double other, own_x = 0, own_y = 0;
  if (options.normalize) {
    const double least = rounding * rounding;
    usable = usable && !(square_x <= least * sums[0]) && !(square_y <= least * sums[1]);
    const double norms = sqrt(square_x) * sqrt(square_y);
    other = 1 / norms;
    own_x = -product / norms / square_x;
    own_y = -product / norms / square_y;
  } else {
    const double count = options.unbiased ? n * (n - 3) : (n - 1) * (n - 1);
    other = ldexp(1 / count, int(x.item->exponent + y.item->exponent));
  }
  const double unit_x = usable ? *x.unit : NAN, unit_y = usable ? *y.unit : NAN;
  slopes[0] = {other * unit_x, own_x * unit_x};
  slopes[1] = {other * unit_y, own_y * unit_y};
}

// d score / dK_ij times the derivative of the kernel: by the inner product of the samples i and j,
// rbf: by their squared distance.
__device__ double weight_of(const GramPull& pull, const GramOptions& options, int64_t i,
                            int64_t j) {
  const GramSide& side = pull.side;
  const int64_t k = i * side.rows + j;
  const double weight = pull.slopes->other * pull.other[k] + pull.slopes->own * side.kernel[k];
  return weight * kernel_slope(*side.item, options, side.products[k]);
}

__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill
    sum_weights_kernel(GramPull pull, GramOptions options) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(double, partial_distances, 32);
  const int64_t i = blockIdx.x;
  double sum = 0, distances = 0;
  for (int64_t j = threadIdx.x; j < pull.side.rows; j += blockDim.x) {
    const double weight = weight_of(pull, options, i, j);
    sum += weight;
    if (options.median) distances += weight * pull.side.products[i * pull.side.rows + j];
  }
  sum = block_sum(sum, partial);
  distances = block_sum(distances, partial_distances);
  if (threadIdx.x > 0) return;
  pull.weights[i] = sum;
  pull.distances[i] = distances;
}

// With K = exp(-g D), g = 1 / (2 sigma^2), dK / dg = -D K; sigma is the bandwidth's factor times
// the median, the mean of the two middle distances |x_p - x_q|. Row i of the gradient by x is the
// sum over j of weights times x_i - x_j.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    write_weights_kernel(GramPull pull, GramOptions options, T* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t i = blockIdx.x, rows = pull.side.rows;
  double of_pair[2] = {0, 0}, diagonal = 0;
  int64_t upper[2] = {-1, -1}, lower[2] = {-1, -1};
  if (options.median) {
    const double median = (sqrt(pull.middle[0]) + sqrt(pull.middle[1])) / 2;
    const double by_median = -2 / median * sum_of(pull.distances, rows, partial);
    for (int k = 0; k < 2; ++k) {
      of_pair[k] = by_median / 2 / sqrt(pull.middle[k]);
      lower[k] = int64_t(pull.pairs[k]) / rows;
      upper[k] = int64_t(pull.pairs[k]) % rows;
      if (i == lower[k] || i == upper[k]) diagonal += of_pair[k];
    }
  }
  for (int64_t j = threadIdx.x; j < rows; j += blockDim.x) {
    double weight = weight_of(pull, options, i, j);
    if (options.function == GramFunction::linear) {
      weight *= 2;
    } else if (options.function == GramFunction::polynomial) {
      weight = 2 * (weight - pull.weights[j] / double(rows));  // it sees the samples centred
    } else if (i == j) {
      weight = 4 * (pull.weights[i] - weight) + diagonal;
    } else {
      weight *= -4;
      for (int k = 0; k < 2; ++k) {
        const bool here = (i == lower[k] && j == upper[k]) || (j == lower[k] && i == upper[k]);
        if (here) weight -= of_pair[k];
      }
    }
    out[i * rows + j] = T(weight);
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    find_pairs_kernel(const T* __restrict__ values, int64_t rows, int64_t first,
                      const double* __restrict__ middle, unsigned long long* pairs) {
  const int64_t p = first + blockIdx.x;
  const T* const row = values + size_t(blockIdx.x) * rows;
  for (int k = 0; k < 2; ++k) {
    for (int64_t q = threadIdx.x; q < p; q += blockDim.x) {
      if (double(row[q]) != middle[k]) continue;
      atomicMin(&pairs[k], static_cast<unsigned long long>(p * rows + q));
      break;
    }
  }
}

dim3 a_block_per_row(const GramSide& side) { return dim3(unsigned(side.rows)); }

}  // namespace

template <class T>
void evaluate_kernel(const GramSide& side, const GramOptions& options, cudaStream_t stream) {
  launch(evaluate_kernel_kernel<T>, a_block_per_row(side), threads_for(side.rows), 0, stream, side,
         options);
}

void project_kernel(const GramSide& side, const GramOptions& options, cudaStream_t stream) {
  launch(project_kernel_kernel, a_block_per_row(side), threads_for(side.rows), 0, stream, side,
         options);
}

void relate_kernels(const GramSide& x, const GramSide& y, const double* products,
                    const GramOptions& options, double rounding, GramSlopes* slopes,
                    cudaStream_t stream) {
  launch(relate_kernel, dim3(1), threads_for(x.rows), 0, stream, x, y, products, options, rounding,
         slopes);
}

void sum_weights(const GramPull& pull, const GramOptions& options, cudaStream_t stream) {
  launch(sum_weights_kernel, a_block_per_row(pull.side), threads_for(pull.side.rows), 0, stream,
         pull, options);
}

template <class T>
void write_weights(const GramPull& pull, const GramOptions& options, T* out, cudaStream_t stream) {
  launch(write_weights_kernel<T>, a_block_per_row(pull.side), threads_for(pull.side.rows), 0,
         stream, pull, options, out);
}

template <class T>
void find_pairs(const T* values, int64_t rows, int64_t first, int64_t count, const double* middle,
                unsigned long long* pairs, cudaStream_t stream) {
  launch(find_pairs_kernel<T>, dim3(unsigned(count)), threads_for(rows), 0, stream, values, rows,
         first, middle, pairs);
}

LIKEWISE_INSTANTIATE(evaluate_kernel);
LIKEWISE_INSTANTIATE(write_weights);
LIKEWISE_INSTANTIATE(find_pairs);

}  // namespace likewise::cuda

// Kernel matrices from inner products, and HSIC from their sums. Every entry is read and written
// once here and read once by a product: bytes over bandwidth.

#include "core/instantiate.h"
#include "kernels/cuda/kernel_value.cuh"
#include "kernels/rbf_range.h"

namespace likewise::cuda {
namespace {

// KernelStatus
constexpr int64_t kConstant = 1, kNoBandwidth = 2, kNotPositive = 3, kOverflow = 4;

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    norm_kernel(const T* __restrict__ x, int64_t cols, double* __restrict__ norms) {
  SHARED_ARRAY(double, partial, 32);
  const size_t row = blockIdx.x;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) {
    sum += double(x[row * cols + j]) * double(x[row * cols + j]);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) norms[row] = sum;
}

__global__ void __launch_bounds__(32)
    describe_kernel(GramFacts facts, GramOptions options, GramItem* __restrict__ item) {
  double norms = 0, largest = 0;
  for (int64_t k = threadIdx.x; k < facts.rows; k += 32) {
    norms += facts.norms[k];
    largest = facts.norms[k] > largest ? facts.norms[k] : largest;
  }
  norms = warp_sum(norms);
  for (int step = 16; step > 0; step /= 2) {
    const double other = __shfl_xor_sync(kAllLanes, largest, step);
    largest = other > largest ? other : largest;
  }
  if (threadIdx.x > 0) return;
  const double unit = *facts.unit, n = double(facts.rows);
  GramItem out{0, 0, 0, 0, 1, 0, unit == 0 ? kConstant : 0, facts.samples, facts.cols, unit};
  const int scale = unit > 0 ? -2 * ilogb(unit) : 0;  // of products
  if (options.function == GramFunction::linear) out.exponent = scale;
  if (options.function == GramFunction::rbf) {
    double sigma = options.bandwidth * unit;
    if (facts.middle) {
      const double median = (sqrt(facts.middle[0]) + sqrt(facts.middle[1])) / 2;
      sigma = options.bandwidth * median;
      if (median == 0 && unit != 0) out.fault = kNoBandwidth;
    }
    if (sigma > 0) {
      const int64_t power = ilogb(sigma);
      const double near = ldexp(sigma, int(-power));
      const int64_t farthest = largest > 0 ? ilogb(4 * largest) - 2 * power : 0;
      if (farthest < kLinear) out.exponent = farthest - kLinear;
      const double exponent = double(-2 * power - out.exponent);
      out.factor = ldexp(-1 / (2 * near * near), int(fmin(fmax(exponent, -1000.0), 1000.0)));
    }
    out.shift = expm1(out.factor * 2 * norms / (n - 1));
    if (out.shift < kFar) out.shift = -1;
  }
  if (options.function == GramFunction::polynomial) {
    const double gamma = options.gamma > 0 ? options.gamma : 1 / double(facts.cols);
    // 2^power is beyond factor |a|^2 + |coef0| of all samples.
    constexpr int kNothing = -1000000;
    int power = options.coef0 != 0 ? ilogb(options.coef0) + 1 : kNothing;
    if (largest > 0) {
      const int of_products = scale + ilogb(gamma) + ilogb(largest) + 2;
      power = of_products > power ? of_products : power;
    }
    power = power == kNothing ? 0 : power + 1;
    out.factor = ldexp(gamma, scale - power);
    out.coef0 = ldexp(options.coef0, -power);
    out.origin = -norms / (n * (n - 1));
    out.slope = ldexp(gamma, -ilogb(gamma));
    out.exponent = (options.degree - 1) * power + scale + ilogb(gamma);
  }
  *item = out;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    apply_kernel_kernel(GramRows<T> block, GramOptions options) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(double, partial_squares, 32);
  const size_t k = blockIdx.y;
  const int64_t row = block.first + blockIdx.x;
  const GramItem item = block.items[k];
  const double* const norms = block.norms + k * block.rows;
  T* const values = block.values + k * block.step + size_t(blockIdx.x) * block.rows;
  double sum = 0, squares = 0;
  for (int64_t j = threadIdx.x; j < block.rows; j += blockDim.x) {
    double value = double(values[j]);
    if (options.function == GramFunction::rbf) {
      value = safe_distance<T>(item, norms[row] + norms[j], value, row, j);
    }
    value = kernel_value(item, options, value);
    if (options.unbiased && j == row) value = 0;
    values[j] = T(value);
    sum += value;
    squares += double(T(value)) * double(T(value));
  }
  sum = block_sum(sum, partial);
  squares = block_sum(squares, partial_squares);
  if (threadIdx.x > 0) return;
  block.row_sums[k * block.rows + row] = sum;
  block.row_squares[k * block.rows + row] = squares;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    project_grams_kernel(GramRows<T> whole, GramOptions options, double* __restrict__ sizes) {
  SHARED_ARRAY(double, partial, 32);
  const size_t k = blockIdx.y, row = blockIdx.x;
  const double n = double(whole.rows);
  const double* const sums = whole.row_sums + k * whole.rows;
  T* const values = whole.values + k * whole.step + row * whole.rows;
  double total = 0, squares = 0;
  for (int64_t j = threadIdx.x; j < whole.rows; j += blockDim.x) total += sums[j];
  total = block_sum(total, partial);
  const double of_rows = 1 / (options.unbiased ? n - 2 : n);
  const double of_all = total / (options.unbiased ? (n - 1) * (n - 2) : n * n);
  for (int64_t j = threadIdx.x; j < whole.rows; j += blockDim.x) {
    const double whole_value = double(values[j]);
    const T value = T(whole_value - (sums[row] + sums[j]) * of_rows + of_all);
    values[j] = options.unbiased && size_t(j) == row ? T(0) : value;
    squares += double(values[j]) * double(values[j]);
  }
  __syncthreads();  // `partial` is used again
  squares = block_sum(squares, partial);
  if (threadIdx.x > 0) return;
  sizes[k * whole.rows + row] = whole.row_squares[k * whole.rows + row];
  whole.row_squares[k * whole.rows + row] = squares;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    row_kernel(const T* __restrict__ x, const T* __restrict__ y, int64_t step, int64_t rows,
               int64_t first, double* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const size_t begin = size_t(blockIdx.y) * step + size_t(blockIdx.x) * rows;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < rows; j += blockDim.x) {
    sum += double(x[begin + j]) * double(y[begin + j]);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out[size_t(blockIdx.y) * rows + first + blockIdx.x] = sum;
}

// HSIC of <K, L>, of the inner product of row sums and of the sums of both.
__device__ double hsic_of(double products, double rows, double all, double n, bool unbiased,
                          double* terms) {
  const double second = unbiased ? 2 * rows / (n - 2) : 2 * rows / n;
  const double third = unbiased ? all / ((n - 1) * (n - 2)) : all / (n * n);
  const double scale = unbiased ? n * (n - 3) : (n - 1) * (n - 1);
  *terms = (fabs(products) + fabs(second) + fabs(third)) / scale;
  return (products - second + third) / scale;
}

__global__ void __launch_bounds__(kMostThreads) score_kernel(GramScores s, GramOptions options) {
  SHARED_ARRAY(double, partial, 32);
  const size_t i = blockIdx.y, j = s.paired ? i : blockIdx.x;
  const double *const sums_i = s.sums_a + i * s.rows, *const sums_j = s.sums_b + j * s.rows;
  const double* const squares_i = s.squares_a + i * s.rows;
  const double* const squares_j = s.squares_b + j * s.rows;
  double sums[8] = {};
  const double* const sizes_i = s.sizes_a ? s.sizes_a + i * s.rows : nullptr;
  const double* const sizes_j = s.sizes_a ? s.sizes_b + j * s.rows : nullptr;
  for (int64_t r = threadIdx.x; r < s.rows; r += blockDim.x) {
    sums[0] += sizes_i ? sizes_i[r] : sums_i[r];
    sums[1] += sizes_j ? sizes_j[r] : sums_j[r];
    sums[2] += sums_i[r] * sums_j[r];
    sums[3] += sums_i[r] * sums_i[r];
    sums[4] += sums_j[r] * sums_j[r];
    sums[5] += squares_i[r];
    sums[6] += squares_j[r];
    if (s.paired) sums[7] += s.products[i * s.rows + r];
  }
  for (double& sum : sums) {
    sum = block_sum(sum, partial);
    __syncthreads();  // `partial` is used again
  }
  if (threadIdx.x > 0) return;
  const GramItem a = s.items_a[i], b = s.items_b[j];
  const double n = double(s.rows);
  const bool same = s.symmetric && i == j;
  double products = s.paired ? sums[7] : s.products[i * s.count_b + j];
  if (same) products = sums[5];
  double terms, own_i, own_j, score, self_i, self_j;
  if (s.sizes_a) {
    const double scale = options.unbiased ? n * (n - 3) : (n - 1) * (n - 1);
    score = products / scale;
    self_i = sums[5] / scale;
    self_j = sums[6] / scale;
    own_i = sums[0] / scale;
    own_j = sums[1] / scale;
  } else {
    score = hsic_of(products, sums[2], sums[0] * sums[1], n, options.unbiased, &terms);
    self_i = hsic_of(sums[5], sums[3], sums[0] * sums[0], n, options.unbiased, &own_i);
    self_j = hsic_of(sums[6], sums[4], sums[1] * sums[1], n, options.unbiased, &own_j);
  }
  const double rounding = s.sizes_a ? s.rounding * s.rounding : s.rounding;
  const bool positive_i = !options.normalize || !(self_i <= rounding * own_i);
  const bool positive_j = !options.normalize || !(self_j <= rounding * own_j);
  score = options.normalize ? score / (sqrt(self_i) * sqrt(self_j))
                            : ldexp(score, int(a.exponent + b.exponent));
  if (!options.normalize && fabs(score) > s.largest) score = score > 0 ? INFINITY : -INFINITY;
  const bool good = a.fault == 0 && b.fault == 0 && positive_i && positive_j;
  const size_t at = s.paired ? i : i * s.count_b + j;
  const bool one = same && options.normalize && score == score;
  s.scores[at] = !good ? NAN : one ? 1 : score;
  if (s.paired || j == 0) s.status_a[i] = a.fault ? a.fault : positive_i ? 0 : kNotPositive;
  if (s.paired || (i == 0 && !s.symmetric)) {
    s.status_b[j] = b.fault ? b.fault : positive_j ? 0 : kNotPositive;
  }
}

// Items one of whose scores is infinite are marked, once all have a status.
__global__ void __launch_bounds__(kMostThreads)
    overflow_kernel(GramScores s, int64_t rows_of_pairs) {
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < rows_of_pairs;
       k += int64_t(gridDim.x) * blockDim.x) {
    const int64_t i = s.paired ? k : k / s.count_b, j = s.paired ? k : k % s.count_b;
    if (fabs(s.scores[k]) != INFINITY) continue;
    s.status_a[i] = kOverflow;  // several threads write the same
    (s.symmetric ? s.status_a : s.status_b)[j] = kOverflow;
  }
}

}  // namespace

template <class T>
void project_grams(const GramRows<T>& whole, const GramOptions& options, double* sizes,
                   cudaStream_t stream) {
  const dim3 grid(unsigned(whole.rows), unsigned(whole.count_items));
  launch(project_grams_kernel<T>, grid, threads_for(whole.rows), 0, stream, whole, options, sizes);
}

template <class T>
void row_norms(const T* x, int64_t rows, int64_t cols, double* norms, cudaStream_t stream) {
  launch(norm_kernel<T>, dim3(unsigned(rows)), threads_for(cols), 0, stream, x, cols, norms);
}

void describe_item(const GramFacts& facts, const GramOptions& options, GramItem* item,
                   cudaStream_t stream) {
  launch(describe_kernel, dim3(1), dim3(32), 0, stream, facts, options, item);
}

template <class T>
void apply_kernel(const GramRows<T>& block, const GramOptions& options, cudaStream_t stream) {
  const dim3 grid(unsigned(block.count), unsigned(block.count_items));
  launch(apply_kernel_kernel<T>, grid, threads_for(block.rows), 0, stream, block, options);
}

template <class T>
void row_products(const T* x, const T* y, int64_t pairs, int64_t step, int64_t rows, int64_t first,
                  int64_t count, double* out, cudaStream_t stream) {
  launch(row_kernel<T>, dim3(unsigned(count), unsigned(pairs)), threads_for(rows), 0, stream, x, y,
         step, rows, first, out);
}

void score_grams(const GramScores& scores, const GramOptions& options, cudaStream_t stream) {
  const dim3 grid(scores.paired ? 1 : unsigned(scores.count_b), unsigned(scores.count_a));
  launch(score_kernel, grid, threads_for(scores.rows), 0, stream, scores, options);
  if (options.normalize) return;
  const int64_t count = scores.paired ? scores.count_a : scores.count_a * scores.count_b;
  launch(overflow_kernel, blocks_for(count), threads_for(count), 0, stream, scores, count);
}

LIKEWISE_INSTANTIATE(row_norms);
LIKEWISE_INSTANTIATE(apply_kernel);
LIKEWISE_INSTANTIATE(project_grams);
LIKEWISE_INSTANTIATE(row_products);

}  // namespace likewise::cuda

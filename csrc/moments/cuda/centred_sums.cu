// Every sum is read once, or once more for the facts on the diagonal: bytes over bandwidth.
// Centring is where digits go: differences are taken in the order of the CPU's.

#include "core/cuda/kernel.cuh"
#include "moments/cuda/centred_sums.h"

namespace likewise::cuda {
namespace {

constexpr double kNoVariance = 1024 * 0x1p-52;
constexpr int64_t kMostPairs = 1024;  // of a launch: enough to fill a device, and tested

__global__ void __launch_bounds__(kMostThreads)
    unit_kernel(const double* __restrict__ sums, int64_t width, SumsSide items, bool center,
                UnitFacts out) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(int64_t, partial_count, 32);
  const int64_t item = blockIdx.x;
  const double samples = sums[0];
  double trace = 0;
  int64_t constant = 0;
  for (int64_t j = items.starts[item] + threadIdx.x; j < items.starts[item + 1]; j += blockDim.x) {
    const double raw = sums[j * width + j];
    const double centred = samples > 0 ? raw - sums[j] * sums[j] / samples : 0;
    const bool is_constant = centred <= kNoVariance * raw;
    const double square = is_constant ? 0 : centred;
    out.squares[j] = square;
    trace += center ? square : raw;
    constant += is_constant;
  }
  trace = block_sum(trace, partial);
  constant = block_sum(constant, partial_count);
  if (threadIdx.x > 0) return;
  out.traces[item] = trace;
  out.constant_units[item] = constant;
  if (out.samples && item == 0) *out.samples = int64_t(samples + 0.5);
}

// X'Y of centred units at these places.
__device__ double centred_product(const CentredSums& s, int64_t i, int64_t j) {
  if (s.squares_x[i] == 0 || s.squares_y[j] == 0) return 0;
  return s.sums[i * s.width + j] - s.sums[i * s.width] * s.sums[j] / s.sums[0];
}

// |X'Y|^2 of the centred samples and mean_x'X'Y mean_y of the raw ones, over a stripe of rows.
__global__ void __launch_bounds__(kMostThreads)
    stripe_kernel(CentredSums s, int64_t first, double* __restrict__ parts) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t pair = first + blockIdx.y, a = pair / s.y.count, b = pair % s.y.count;
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const int64_t begin = s.x.starts[a] + blockIdx.x * kStripeOfRows, last = s.x.starts[a + 1];
  const int64_t end = begin + kStripeOfRows < last ? begin + kStripeOfRows : last;
  const double samples = s.sums[0];
  double squares = 0, between = 0;
  for (int64_t i = begin + warp; i < end; i += blockDim.x >> 5) {
    const double mean_x = s.sums[i * s.width] / samples;
    for (int64_t j = s.y.starts[b] + lane; j < s.y.starts[b + 1]; j += 32) {
      const double product = centred_product(s, i, j);
      squares += product * product;
      between += mean_x * s.sums[i * s.width + j] * (s.sums[j] / samples);
    }
  }
  squares = block_sum(squares, partial);
  __syncthreads();
  between = block_sum(between, partial);
  if (threadIdx.x > 0) return;
  double* const part = parts + (pair * gridDim.x + blockIdx.x) * 2;
  part[0] = squares;
  part[1] = between;
}

// Of the units of one item, with `norms` the sums of products of its units with |y|^2 of another:
// the first two are |mean|^2 and mean' norms.
struct Means {
  double square = 0, norms = 0;
};
__device__ Means means_of(const SumsSide& side, int64_t item, const double* sums, int64_t step,
                          const double* norms, double samples, double* partial) {
  Means found;
  for (int64_t j = side.starts[item] + threadIdx.x; j < side.starts[item + 1]; j += blockDim.x) {
    const double mean = sums[j * step] / samples;
    found.square += mean * mean;
    found.norms += mean * norms[j * step];
  }
  found.square = block_sum(found.square, partial);
  __syncthreads();
  found.norms = block_sum(found.norms, partial);
  __syncthreads();
  return found;
}

// Unbiased HSIC below this share of the terms it is the difference of is rounding.
constexpr double kRoundingOfSums = 64 * 0x1p-52;

__global__ void __launch_bounds__(kMostThreads) hsic_kernel(CentredSums s, LinearHsic hsic) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t pair = blockIdx.x, a = pair / s.y.count, b = pair % s.y.count;
  const double n = s.sums[0];
  const double* const norms_x = s.sums + (1 + a) * s.width;  // sums of products with |x|^2
  const double* const norms_y = s.sums + (1 + b);
  const Means x = means_of(s.x, a, s.sums, s.width, norms_y, n, partial);
  const Means y = means_of(s.y, b, s.sums, 1, norms_x, n, partial);
  if (threadIdx.x > 0) return;
  double squares = 0, between = 0;
  for (int64_t k = 0; k < hsic.stripes; ++k) {
    squares += hsic.parts[(pair * hsic.stripes + k) * 2];
    between += hsic.parts[(pair * hsic.stripes + k) * 2 + 1];
  }
  double found = squares / ((n - 1) * (n - 1));
  if (hsic.unbiased) {  // Song et al. (2012); fourth: sum |x|^2 |y|^2 of centred samples
    const double fourth = norms_x[1 + b] - 2 * y.norms - 2 * x.norms + y.square * norms_x[0] +
                          x.square * norms_y[0] + 4 * between - 3 * n * x.square * y.square;
    const double traces = hsic.traces_x[a] * hsic.traces_y[b];
    found =
        (squares - fourth + traces / ((n - 1) * (n - 2)) - 2 * fourth / (n - 2)) / (n * (n - 3));
    if (fabs(found) * n * (n - 3) <= kRoundingOfSums * traces) found = 0;
  }
  if (hsic.unit_x) {
    // One by one: products of units may be infinite where nothing is found.
    for (int k = 0; k < 2; ++k) found = found * hsic.unit_x[a] * hsic.unit_y[b];
  }
  hsic.out[pair] = hsic.traces_x[a] == 0 || hsic.traces_y[b] == 0 ? NAN : found;
}

__global__ void __launch_bounds__(kMostThreads)
    ratio_kernel(const double* __restrict__ x, int64_t size, int64_t cols,
                 const double* __restrict__ own_x, int64_t step_x, const double* __restrict__ own_y,
                 int64_t step_y, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double a = own_x[k / cols * step_x], b = own_y[k % cols * step_y];
    out[k] = a > 0 && b > 0 ? x[k] / (sqrt(a) * sqrt(b)) : NAN;
  }
}

__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill, here and below
    correlation_kernel(CentredSums s, int64_t size, int64_t cols, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  const int64_t row = s.x.starts[0], column = s.y.starts[0];
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const int64_t i = row + k / cols, j = column + k % cols;
    const double squares = sqrt(s.squares_x[i]) * sqrt(s.squares_y[j]);
    const double r = squares == 0 ? 0 : centred_product(s, i, j) / squares;
    out[k] = r > 1 ? 1 : r < -1 ? -1 : r;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    block_kernel(CentredSums s, SumsBlocks blocks, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, block = blocks.rows * blocks.cols;
  const int64_t size = blocks.count * block;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const int64_t item = k / block, within = k % block;
    const int64_t i = blocks.row + item * blocks.step + within / blocks.cols;
    const int64_t j = blocks.column + item * blocks.cols + within % blocks.cols;
    out[k] = blocks.center ? centred_product(s, i, j) : s.sums[i * s.width + j];
  }
}

__global__ void __launch_bounds__(kMostThreads, 4)
    divide_kernel(const double* __restrict__ x, int64_t size, const double* __restrict__ by,
                  double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = x[k] / *by;
  }
}

}  // namespace

cudaError_t find_units(const double* sums, int64_t width, const SumsSide& items, bool center,
                       const UnitFacts& out, cudaStream_t stream) {
  return launch(unit_kernel, dim3(unsigned(items.count)), threads_for(width), 0, stream, sums,
                width, items, center, out);
}

cudaError_t linear_hsic(const CentredSums& sums, const LinearHsic& hsic, cudaStream_t stream) {
  const int64_t pairs = sums.x.count * sums.y.count;
  for (int64_t first = 0; first < pairs; first += kMostPairs) {
    const int64_t some = pairs - first < kMostPairs ? pairs - first : kMostPairs;
    const cudaError_t error = launch(stripe_kernel, dim3(unsigned(hsic.stripes), unsigned(some)),
                                     dim3(kMostThreads), 0, stream, sums, first, hsic.parts);
    if (error != cudaSuccess) return error;
  }
  return launch(hsic_kernel, dim3(unsigned(pairs)), dim3(kMostThreads), 0, stream, sums, hsic);
}

cudaError_t normalise_products(const double* x, int64_t rows, int64_t cols, const double* own_x,
                               int64_t step_x, const double* own_y, int64_t step_y, double* out,
                               cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(ratio_kernel, blocks_for(size), threads_for(size), 0, stream, x, size, cols, own_x,
                step_x, own_y, step_y, out);
}

cudaError_t correlate_units(const CentredSums& sums, int64_t rows, int64_t cols, double* out,
                            cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(correlation_kernel, blocks_for(size), threads_for(size), 0, stream, sums, size,
                cols, out);
}

cudaError_t take_blocks(const CentredSums& sums, const SumsBlocks& blocks, double* out,
                        cudaStream_t stream) {
  const int64_t size = blocks.count * blocks.rows * blocks.cols;
  return launch(block_kernel, blocks_for(size), threads_for(size), 0, stream, sums, blocks, out);
}

cudaError_t divide_all(const double* x, int64_t size, const double* by, double* out,
                       cudaStream_t stream) {
  return launch(divide_kernel, blocks_for(size), threads_for(size), 0, stream, x, size, by, out);
}

}  // namespace likewise::cuda

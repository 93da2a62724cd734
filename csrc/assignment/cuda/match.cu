// Units of unit norm, and what is left to be done once units are paired. Every element is read four
// times and written once: bytes over bandwidth.

#include "assignment/cuda/match_kernels.h"
#include "core/cuda/columns.cuh"
#include "core/cuda/largest.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    unit_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, T* __restrict__ out,
                int64_t* __restrict__ constant_units, int64_t constant_step) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const size_t begin = size_t(blockIdx.y) * rows * cols + (inside ? column : 0);
  const double first = double(x[begin]);
  double largest = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    largest = Largest::of(fabs(double(x[begin + i * cols]) - first), largest);
  }
  largest = over_stripes<Largest>(largest, shared);
  const bool constant = largest == 0;
  double mean = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    mean += (double(x[begin + i * cols]) - first) / largest;
  }
  mean = over_stripes<Sum>(mean, shared) / double(rows);
  double squares = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = (double(x[begin + i * cols]) - first) / largest - mean;
    squares += value * value;
  }
  const double norm = sqrt(over_stripes<Sum>(squares, shared));
  if (!inside) return;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = ((double(x[begin + i * cols]) - first) / largest - mean) / norm;
    out[begin + i * cols] = constant ? T(0) : T(value);
  }
  if (constant && threadIdx.y == 0) {
    int64_t* const counter = constant_units + constant_step * blockIdx.y;
    atomicAdd(reinterpret_cast<unsigned long long*>(counter), 1ull);
  }
}

__device__ bool nothing_to_match(const MatchOutputs& out, size_t item) {
  return out.constant_x.numbers[out.constant_x.step * item] == out.dx ||
         out.constant_y.numbers[out.constant_y.step * item] == out.dy;
}

__global__ void __launch_bounds__(kMostThreads)
    permutation_kernel(const int64_t* __restrict__ row_ind, const int64_t* __restrict__ col_ind,
                       const double* __restrict__ sum, int64_t pairs, MatchOutputs out) {
  const size_t item = blockIdx.x;
  const bool matches = !nothing_to_match(out, item);
  if (threadIdx.x == 0) out.score[item] = matches ? sum[item] / double(pairs) : NAN;
  if (!out.assignment) return;
  int64_t* const partner = out.assignment + item * out.dx;
  for (int64_t i = threadIdx.x; i < out.dx; i += blockDim.x) partner[i] = -1;
  __syncthreads();
  for (int64_t k = threadIdx.x; k < pairs && matches; k += blockDim.x) {
    const int64_t i = row_ind[item * pairs + k];
    if (i >= 0) partner[i] = col_ind[item * pairs + k];
  }
}

__global__ void __launch_bounds__(kMostThreads)
    semi_kernel(const double* __restrict__ similarity, double tie, MatchOutputs out) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = blockIdx.x;
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const bool matches = !nothing_to_match(out, item);
  double sum = 0;
  for (int64_t i = warp; i < out.dx; i += blockDim.x >> 5) {
    const double* const row = similarity + (item * out.dx + i) * out.dy;
    bool unknown = false;
    for (int64_t j = lane; j < out.dy; j += 32) unknown |= row[j] != row[j];
    unknown = __any_sync(kAllLanes, unknown);
    const double best = largest_of(row, out.dy);
    if (out.assignment) {
      const int64_t where = first_at_least(row, out.dy, best - tie);
      if (lane == 0) out.assignment[item * out.dx + i] = matches && !unknown ? where : -1;
    }
    if (lane == 0) sum += unknown ? double(NAN) : best;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) out.score[item] = matches ? sum / double(out.dx) : NAN;
}

}  // namespace

template <class T>
void unit_columns(const T* x, int64_t count, int64_t rows, int64_t cols, T* out,
                  int64_t* constant_units, int64_t step, cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int64_t items = count - first < kMostItems ? count - first : kMostItems;
    const int64_t begin = first * rows * cols;
    launch(unit_kernel<T>, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0, stream,
           x + begin, rows, cols, out + begin, constant_units + step * first, step);
  }
}

void finish_permutation(const int64_t* row_ind, const int64_t* col_ind, const double* sum,
                        int64_t count, int64_t pairs, const MatchOutputs& out,
                        cudaStream_t stream) {
  launch(permutation_kernel, dim3(unsigned(count)), threads_for(out.dx), 0, stream, row_ind,
         col_ind, sum, pairs, out);
}

void finish_semi(const double* similarity, int64_t count, double tie, const MatchOutputs& out,
                 cudaStream_t stream) {
  launch(semi_kernel, dim3(unsigned(count)), threads_for(32 * out.dx), 0, stream, similarity, tie,
         out);
}

LIKEWISE_INSTANTIATE(unit_columns);

}  // namespace likewise::cuda

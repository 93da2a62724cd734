// What surrounds a transport: units of an assignment, plans and scores. All but the distances read
// or write each number once: bytes over bandwidth. Distances gather two columns
// per pair with something to send, 32 bytes per number: 1000 samples and 1500 such pairs touch 96
// MB per problem, mostly in L2.

#include "core/cuda/kernel.cuh"
#include "core/instantiate.h"
#include "transport/cuda/plans.h"

namespace likewise::cuda {
namespace {

__global__ void __launch_bounds__(kMostThreads)
    pairs_kernel(const int64_t* __restrict__ row_ind, const int64_t* __restrict__ col_ind,
                 int64_t count, int64_t side, FlowOutputs out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < count * side; k += step) {
    const int64_t item = k / side;
    if (row_ind[k] >= 0) out.units[(item * side + col_ind[k]) * side + row_ind[k]] = 1;
    if (k % side > 0) continue;
    out.cost[item] /= double(side);
    if (out.gap) out.gap[item] /= double(side);
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    plan_kernel(const short* __restrict__ units, const double* __restrict__ known, double unit,
                int64_t size, int64_t rows, int64_t cols, bool transposed, T otherwise,
                T* __restrict__ plan) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const int64_t item = k / (rows * cols), inside = k % (rows * cols);
    const int64_t i = inside / cols, j = inside % cols;
    const int64_t from = transposed ? inside : j * rows + i;
    const bool is_known = known[item] == known[item];
    plan[k] = is_known ? T(double(units[item * rows * cols + from]) * unit) : otherwise;
  }
}

// One warp per column.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    squares_kernel(UnitRun<T> rows, UnitRun<T> cols, int64_t size, int64_t samples, double unit,
                   const short* __restrict__ units, double* __restrict__ out) {
  const int lane = int(threadIdx.x) & 31;
  const int64_t step = int64_t(gridDim.x) * (blockDim.x >> 5);
  const int64_t first = int64_t(blockIdx.x) * (blockDim.x >> 5) + (threadIdx.x >> 5);
  for (int64_t k = first; k < size; k += step) {
    const int64_t item = k / cols.cols;
    const T* const from = rows.data + item * rows.step;
    const T* const to = cols.data + item * cols.step + k % cols.cols;
    double sum = 0;
    for (int64_t begin = 0; begin < rows.cols; begin += 32) {
      const int64_t mine = begin + lane;
      const int sent = mine < rows.cols ? units[k * rows.cols + mine] : 0;
      unsigned senders = __ballot_sync(kAllLanes, sent > 0);
      for (; senders; senders &= senders - 1) {
        const int sender = __ffs(int(senders)) - 1;
        const double mass = double(__shfl_sync(kAllLanes, sent, sender)) * unit;
        for (int64_t r = lane; r < samples; r += 32) {
          const double difference =
              double(from[r * rows.cols + begin + sender]) - double(to[r * cols.cols]);
          sum += mass * difference * difference;
        }
      }
    }
    sum = warp_sum(sum);
    if (lane == 0) out[k] = sum;
  }
}

template <class T>
__device__ bool all_constant(const UnitRun<T>& side, size_t item) {
  return side.constant.numbers[side.constant.step * item] == side.cols;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    score_kernel(const double* __restrict__ cost, const double* __restrict__ squares,
                 UnitRun<T> rows, UnitRun<T> cols, double* __restrict__ score) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = blockIdx.x;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < cols.cols && squares; j += blockDim.x) {
    sum += squares[item * cols.cols + j];
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x > 0) return;
  const double total = cost[item];
  const bool known = total == total && !all_constant(rows, item) && !all_constant(cols, item);
  score[item] = !known ? NAN : squares ? sqrt(sum) : total;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    own_kernel(const T* __restrict__ units, int64_t cols,
               const int64_t* __restrict__ constant_units, bool distance,
               double* __restrict__ score) {
  bool unknown = constant_units[0] == cols;
  for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) unknown |= units[j] != units[j];
  unknown = __syncthreads_or(unknown);
  if (threadIdx.x > 0) return;
  const double own = distance ? 0.0 : double(cols - constant_units[0]) / double(cols);
  *score = unknown ? NAN : own;
}

}  // namespace

void flows_of_pairs(const int64_t* row_ind, const int64_t* col_ind, int64_t count, int side,
                    const FlowOutputs& out, cudaStream_t stream) {
  const size_t size = size_t(count) * side * side;
  check(cudaMemsetAsync(out.units, 0, size * sizeof(short), stream), "memset");
  launch(pairs_kernel, blocks_for(count * side), threads_for(count * side), 0, stream, row_ind,
         col_ind, count, int64_t(side), out);
}

template <class T>
void write_plans(const short* units, const double* known, int64_t count, int rows, int cols,
                 bool transposed, T otherwise, T* plan, cudaStream_t stream) {
  const int64_t size = count * rows * cols;
  launch(plan_kernel<T>, blocks_for(size), threads_for(size), 0, stream, units, known,
         UniformMarginals(rows, cols).unit, size, int64_t(rows), int64_t(cols), transposed,
         otherwise, plan);
}

template <class T>
void transported_squares(const UnitRun<T>& rows, const UnitRun<T>& cols, int64_t count,
                         int64_t samples, const short* units, double* out, cudaStream_t stream) {
  const int64_t size = count * cols.cols;
  const double unit = UniformMarginals(int(rows.cols), int(cols.cols)).unit;
  launch(squares_kernel<T>, blocks_for(32 * size), threads_for(32 * size), 0, stream, rows, cols,
         size, samples, unit, units, out);
}

template <class T>
void finish_soft_match(const double* cost, const double* squares, const UnitRun<T>& rows,
                       const UnitRun<T>& cols, int64_t count, double* score, cudaStream_t stream) {
  launch(score_kernel<T>, dim3(unsigned(count)), threads_for(cols.cols), 0, stream, cost, squares,
         rows, cols, score);
}

template <class T>
void own_score(const T* units, int64_t cols, const int64_t* constant_units, bool distance,
               double* score, cudaStream_t stream) {
  launch(own_kernel<T>, dim3(1), threads_for(cols), 0, stream, units, cols, constant_units,
         distance, score);
}

LIKEWISE_INSTANTIATE(write_plans);
LIKEWISE_INSTANTIATE(transported_squares);
LIKEWISE_INSTANTIATE(finish_soft_match);
LIKEWISE_INSTANTIATE(own_score);

}  // namespace likewise::cuda

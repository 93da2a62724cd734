// Joint histograms of pairs of units and their mutual information. Counting adds one number per
// sample and pair, in shared memory up to 110 bins: at 10 bins four to eight lanes meet in a bin,
// so about samples x pairs / (4 per clock and multiprocessor). The information reads counts once.

#include "core/cuda/kernel.cuh"
#include "information/cuda/histograms.h"
#include "information/information.h"

namespace likewise::cuda {
namespace {

constexpr int kMostBins = 256;
constexpr int64_t kSharedCounts = 12 * 1024;  // 48 KiB, which every device has
using Count = unsigned long long;

// Each warp counts in a table of its own as long as there are so many; without tables blocks count
// where the counts are.
__global__ void __launch_bounds__(kMostThreads)
    joint_kernel(CodedPairs codes, int64_t first, int64_t bins, int tables,
                 Count* __restrict__ counts) {
  SharedArena arena;
  const int64_t cells = bins * bins;
  unsigned* const shared = arena.take<unsigned>(size_t(tables * cells));
  const int64_t pair = first + blockIdx.x;
  const int64_t row = pair / codes.dy, item = row / codes.dx, column = pair - row * codes.dy;
  const uint8_t* const x = codes.x + row * codes.samples;
  const uint8_t* const y = codes.y + (item * codes.dy + column) * codes.samples;
  Count* const to = counts + size_t(blockIdx.x) * cells;
  for (int64_t c = threadIdx.x; c < tables * cells; c += blockDim.x) shared[c] = 0;
  __syncthreads();
  const int warp = int(threadIdx.x) >> 5;
  unsigned* const mine = tables > 0 ? shared + warp % tables * cells : nullptr;
  for (int64_t k = threadIdx.x; k < codes.samples; k += blockDim.x) {
    const int64_t cell = x[k] * bins + y[k];
    if (mine) {
      atomicAdd(mine + cell, 1u);
    } else {
      atomicAdd(to + cell, Count(1));
    }
  }
  __syncthreads();
  for (int64_t c = threadIdx.x; c < cells && mine; c += blockDim.x) {
    Count sum = 0;
    for (int table = 0; table < tables; ++table) sum += shared[table * cells + c];
    to[c] += sum;
  }
  if (threadIdx.x > 0 || !codes.unknown_x) return;
  if (codes.unknown_x[row] || codes.unknown_y[item * codes.dy + column]) {
    to[0] -= Count(likewise::kUnknownPair);
  }
}

__device__ double entropy(Count count) {
  return count > 0 ? double(count) * log(double(count)) : 0;
}

__global__ void __launch_bounds__(kMostThreads)
    information_kernel(const Count* __restrict__ counts, int bins, bool correct,
                       double* __restrict__ out) {
  SHARED_ARRAY(Count, margins, 2 * kMostBins);
  SHARED_ARRAY(double, partial, 6 * 32);
  const int cells = bins * bins;
  const Count* const mine = counts + size_t(blockIdx.x) * cells;
  for (int k = int(threadIdx.x); k < 2 * bins; k += int(blockDim.x)) margins[k] = 0;
  __syncthreads();
  double joint = 0, occupied = 0;
  for (int c = int(threadIdx.x); c < cells; c += int(blockDim.x)) {
    const Count here = mine[c];
    if (here == 0) continue;
    joint += entropy(here);
    occupied += 1;
    atomicAdd(&margins[c / bins], here);
    atomicAdd(&margins[bins + c % bins], here);
  }
  __syncthreads();
  double separate = 0, total = 0, occupied_x = 0, occupied_y = 0;
  for (int k = int(threadIdx.x); k < bins; k += int(blockDim.x)) {
    const Count x = margins[k], y = margins[bins + k];
    separate += entropy(x) + entropy(y);
    total += double(x);
    occupied_x += x > 0;
    occupied_y += y > 0;
  }
  joint = block_sum(joint, partial);
  occupied = block_sum(occupied, partial + 32);
  separate = block_sum(separate, partial + 64);
  total = block_sum(total, partial + 96);
  occupied_x = block_sum(occupied_x, partial + 128);
  occupied_y = block_sum(occupied_y, partial + 160);
  if (threadIdx.x > 0) return;
  const double plain = (joint - separate) / total + log(total);
  const double bias = correct ? (occupied - occupied_x - occupied_y + 1) / (2 * total) : 0;
  // One bin alone tells nothing, whatever the sums round to.
  const double known = occupied_x == 1 || occupied_y == 1 ? 0 : plain - bias;
  out[blockIdx.x] = int64_t(mine[0]) < 0 ? double(NAN) : known;
}

}  // namespace

cudaError_t add_joint_counts(const CodedPairs& codes, int64_t first, int64_t pairs, int64_t bins,
                             int64_t* counts, cudaStream_t stream) {
  const dim3 block = threads_for(codes.samples);
  const int64_t warps = block.x / 32, fitting = kSharedCounts / (bins * bins);
  const int tables = int(fitting < warps ? fitting : warps);
  return launch(joint_kernel, dim3(unsigned(pairs)), block,
                SharedSize().add<unsigned>(size_t(tables * bins * bins)).bytes, stream, codes,
                first, bins, tables, reinterpret_cast<Count*>(counts));
}

cudaError_t information_of_counts(const int64_t* counts, int64_t pairs, int64_t bins, bool correct,
                                  double* out, cudaStream_t stream) {
  return launch(information_kernel, dim3(unsigned(pairs)), threads_for(bins * bins), 0, stream,
                reinterpret_cast<const Count*>(counts), int(bins), correct, out);
}

}  // namespace likewise::cuda

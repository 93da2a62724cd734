// Kendall's counts by merging, whole numbers throughout. Of a pair of RDMs of m entries: a radix
// sort of its keys (see ranks.cu; 3 digits for 2 million entries, 60 bytes each), ceil(log2 m) - 11
// levels of merges, each with a search of up to log2 m steps per entry in the second-level cache.
// For m = 500000 (n = 1000): 8 levels of 15 steps are 60 million reads of a sector, 2 GB at
// 5.5 TB/s; 0.5 ms per pair of RDMs, a tenth of it for the radix sort.

#include "core/cuda/order.cuh"
#include "core/cuda/pairs.cuh"
#include "rsa/cuda/taus.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kTile = 2048;  // entries of a block, which sorts as many in shared memory

// Where the entries of the block end.
__device__ int64_t tile_end(int64_t size) {
  const int64_t end = blockIdx.x * kTile + kTile;
  return end < size ? end : size;
}

// Ranks of an RDM from 0 to size - 1, equal ones rounded down.
__device__ unsigned key_of_rank(int32_t rank, int64_t size) { return unsigned((rank + size) / 2); }

__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: none spill
    gather_kernel(RankedRdms a, RankedRdms b, PairAxes axes, int64_t first,
                  unsigned* __restrict__ keys, int32_t* __restrict__ values) {
  const ItemPair items = items_of(axes, first + blockIdx.y);
  const int32_t* const ranks_a = a.ranks + items.a * a.size;
  const int32_t* const ranks_b = b.ranks + items.b * a.size;
  const int32_t* const order = b.order + items.b * a.size;
  const int64_t end = tile_end(a.size);
  for (int64_t k = blockIdx.x * kTile + threadIdx.x; k < end; k += blockDim.x) {
    const int32_t at = order[k];
    keys[blockIdx.y * a.size + k] = key_of_rank(ranks_a[at], a.size);
    values[blockIdx.y * a.size + k] = ranks_b[at];
  }
}

// The ranks of an RDM in ascending order.
struct RankList {
  const int32_t *ranks, *order;
  __device__ bool equal(int64_t i, int64_t j) const { return ranks[order[i]] == ranks[order[j]]; }
};

// Keys of one RDM and ranks of another (pairs x size), sorted by both.
struct KeyedPairs {
  const unsigned* keys;
  const int32_t* values;
  int64_t size;
};
struct KeyedList {
  const unsigned* keys;
  const int32_t* values;
  __device__ bool equal(int64_t i, int64_t j) const {
    return keys[i] == keys[j] && values[i] == values[j];
  }
};

__device__ RankList list_of(const RankedRdms& rdms, int64_t item) {
  return {rdms.ranks + item * rdms.size, rdms.order + item * rdms.size};
}
__device__ KeyedList list_of(const KeyedPairs& pairs, int64_t pair) {
  return {pairs.keys + pair * pairs.size, pairs.values + pair * pairs.size};
}

// Pairs of equal entries of sorted lists.
template <class Lists>
__global__ void __launch_bounds__(kMostThreads)
    tied_kernel(Lists lists, unsigned long long* __restrict__ tied) {
  SHARED_ARRAY(unsigned long long, partial, 32);
  const auto list = list_of(lists, blockIdx.y);
  unsigned long long sum = 0;
  const int64_t end = tile_end(lists.size);
  for (int64_t k = blockIdx.x * kTile + threadIdx.x; k < end; k += blockDim.x) {
    const auto differs = [&](int64_t at) { return !list.equal(at, k); };
    if (k > 0 && !differs(k - 1)) sum += k - first_without(0, k, differs);
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0 && sum > 0) atomicAdd(tied + blockIdx.y, sum);
}

// Where element k goes when sorted runs of `width` values are merged in pairs. Adds to `inverted`
// the values of the run behind that are smaller than it.
__device__ int64_t merged_place(const int32_t* values, int64_t k, int64_t width, int64_t size,
                                unsigned long long& inverted) {
  const int64_t begin = k / (2 * width) * (2 * width);
  const int64_t middle = begin + width < size ? begin + width : size;
  const int64_t end = middle + width < size ? middle + width : size;
  const int32_t value = values[k];
  if (k >= middle) {
    const auto not_above = [&](int64_t at) { return values[at] <= value; };
    return k - middle + first_without(begin, middle, not_above);
  }
  const auto below = [&](int64_t at) { return values[at] < value; };
  const int64_t smaller = first_without(middle, end, below) - middle;
  inverted += smaller;
  return k + smaller;
}

// Sorts tiles of values in place.
__global__ void __launch_bounds__(kMostThreads)
    tile_kernel(int32_t* __restrict__ values, int64_t size,
                unsigned long long* __restrict__ inversions) {
  SHARED_ARRAY(int32_t, room, 2 * kTile);
  SHARED_ARRAY(unsigned long long, partial, 32);
  int32_t *from = room, *to = room + kTile;
  const int64_t begin = blockIdx.x * kTile, count = tile_end(size) - begin;
  int32_t* const tile = values + blockIdx.y * size + begin;
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) from[k] = tile[k];
  unsigned long long inverted = 0;
  for (int64_t width = 1; width < count; width *= 2) {
    __syncthreads();
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
      to[merged_place(from, k, width, count, inverted)] = from[k];
    }
    int32_t* const sorted = to;
    to = from;
    from = sorted;
  }
  __syncthreads();
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) tile[k] = from[k];
  inverted = block_sum(inverted, partial);
  if (threadIdx.x == 0 && inverted > 0) atomicAdd(inversions + blockIdx.y, inverted);
}

__global__ void __launch_bounds__(kMostThreads)
    merge_kernel(const int32_t* __restrict__ values, int64_t size, int64_t width,
                 int32_t* __restrict__ merged, unsigned long long* __restrict__ inversions) {
  SHARED_ARRAY(unsigned long long, partial, 32);
  const int32_t* const from = values + blockIdx.y * size;
  int32_t* const to = merged + blockIdx.y * size;
  unsigned long long inverted = 0;
  const int64_t end = tile_end(size);
  for (int64_t k = blockIdx.x * kTile + threadIdx.x; k < end; k += blockDim.x) {
    to[merged_place(from, k, width, size, inverted)] = from[k];
  }
  inverted = block_sum(inverted, partial);
  if (threadIdx.x == 0 && inverted > 0) atomicAdd(inversions + blockIdx.y, inverted);
}

__global__ void __launch_bounds__(kMostThreads)
    tau_kernel(RankedRdms a, RankedRdms b, PairAxes axes, PairCounts counts, Tau tau, int64_t first,
               int64_t count, double* __restrict__ scores) {
  const int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const ItemPair items = items_of(axes, first + k);
  const int64_t pairs = a.size * (a.size - 1) / 2;
  const int64_t tied_a = int64_t(a.tied[items.a]), tied_b = int64_t(b.tied[items.b]);
  // Concordant minus discordant pairs, those without a tie being one or the other.
  const int64_t difference =
      pairs - tied_a - tied_b + int64_t(counts.tied[k]) - 2 * int64_t(counts.discordant[k]);
  const double untied =
      tau == Tau::a ? double(pairs) : sqrt(double(pairs - tied_a) * double(pairs - tied_b));
  const bool usable = a.factors[items.a] > 0 && b.factors[items.b] > 0;
  scores[first + k] = usable ? double(difference) / untied : NAN;
}

// Blocks that go through `size` entries of each of `count` lists.
dim3 grid_of(int64_t size, int64_t count) {
  return dim3(unsigned((size + kTile - 1) / kTile), unsigned(count));
}

}  // namespace

cudaError_t gather_ranks(const RankedRdms& a, const RankedRdms& b, const PairAxes& axes,
                         int64_t first, int64_t count, unsigned* keys, int32_t* values,
                         cudaStream_t stream) {
  return launch(gather_kernel, grid_of(a.size, count), threads_for(a.size), 0, stream, a, b, axes,
                first, keys, values);
}

cudaError_t add_tied_within(const RankedRdms& rdms, int64_t count, unsigned long long* tied,
                            cudaStream_t stream) {
  return launch(tied_kernel<RankedRdms>, grid_of(rdms.size, count), threads_for(rdms.size), 0,
                stream, rdms, tied);
}

cudaError_t add_tied(const unsigned* keys, const int32_t* values, int64_t count, int64_t size,
                     unsigned long long* tied, cudaStream_t stream) {
  return launch(tied_kernel<KeyedPairs>, grid_of(size, count), threads_for(size), 0, stream,
                KeyedPairs{keys, values, size}, tied);
}

cudaError_t add_inversions(int32_t* values, int32_t* room, int64_t count, int64_t size,
                           unsigned long long* inversions, cudaStream_t stream) {
  cudaError_t error = launch(tile_kernel, grid_of(size, count), threads_for(size), 0, stream,
                             values, size, inversions);
  for (int64_t width = kTile; width < size && error == cudaSuccess; width *= 2) {
    error = launch(merge_kernel, grid_of(size, count), threads_for(size), 0, stream, values, size,
                   width, room, inversions);
    int32_t* const merged = room;
    room = values;
    values = merged;
  }
  return error;
}

cudaError_t taus(const RankedRdms& a, const RankedRdms& b, const PairAxes& axes,
                 const PairCounts& counts, Tau tau, int64_t first, int64_t count, double* scores,
                 cudaStream_t stream) {
  const dim3 grid(unsigned((count + kMostThreads - 1) / kMostThreads));
  return launch(tau_kernel, grid, threads_for(count), 0, stream, a, b, axes, counts, tau, first,
                count, scores);
}

}  // namespace likewise::cuda

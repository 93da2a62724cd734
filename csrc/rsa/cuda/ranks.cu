// Radix sort by 8-bit digits, the lowest first. Every digit reads keys twice and positions once and
// writes both: 32 bytes per value (8 digits) over bandwidth, where runs of one digit are long
// enough to be written whole.

#include "core/cuda/order.cuh"
#include "rsa/cuda/ranks.h"

namespace likewise::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kRounds = int(kSortTile) / kThreads;  // values of a thread
static_assert(kThreads == kSortDigits, "a thread has a digit");

__global__ void __launch_bounds__(kMostThreads)
    key_kernel(const double* __restrict__ values, int64_t size, SortKey* __restrict__ keys,
               unsigned* faults) {
  const size_t item = blockIdx.y;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  bool fault = false;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double value = values[item * size + k];
    keys[item * size + k] = key_of(value);
    fault = fault || !(fabs(value) < INFINITY);
  }
  if (fault) atomicOr(faults + item, 1u);
}

// How often each digit is in each tile.
__global__ void __launch_bounds__(kThreads)
    count_kernel(const SortKey* __restrict__ keys, int64_t size, int shift,
                 unsigned* __restrict__ counts) {
  SHARED_ARRAY(unsigned, here, kSortDigits);
  const size_t item = blockIdx.y;
  const int64_t begin = blockIdx.x * kSortTile;
  const int64_t end = begin + kSortTile < size ? begin + kSortTile : size;
  here[threadIdx.x] = 0;
  __syncthreads();
  for (int64_t k = begin + threadIdx.x; k < end; k += kThreads) {
    atomicAdd(&here[keys[item * size + k] >> shift & 255], 1u);
  }
  __syncthreads();
  counts[(item * gridDim.x + blockIdx.x) * kSortDigits + threadIdx.x] = here[threadIdx.x];
}

// Counts become the places where each tile's values with each digit begin.
__global__ void __launch_bounds__(kThreads)
    scan_kernel(unsigned* __restrict__ counts, int64_t tiles) {
  SHARED_ARRAY(unsigned, totals, kSortDigits);
  unsigned* const mine = counts + size_t(blockIdx.x) * tiles * kSortDigits + threadIdx.x;
  unsigned total = 0;
  for (int64_t tile = 0; tile < tiles; ++tile) total += mine[tile * kSortDigits];
  totals[threadIdx.x] = total;
  __syncthreads();
  unsigned next = 0;
  for (unsigned digit = 0; digit < threadIdx.x; ++digit) next += totals[digit];
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const unsigned here = mine[tile * kSortDigits];
    mine[tile * kSortDigits] = next;
    next += here;
  }
}

// Moves the values of a tile to their places, those of one digit in their order. Each warp has a
// stretch of the tile, and goes through it 32 values at a time. Without positions values are at
// their own.
__global__ void __launch_bounds__(kThreads, 4)  // 64 registers: fewer spill
    scatter_kernel(const SortKey* __restrict__ keys, const int32_t* __restrict__ positions,
                   const unsigned* __restrict__ begins, int64_t size, int shift,
                   SortKey* __restrict__ to_keys, int32_t* __restrict__ to_positions) {
  SHARED_ARRAY(unsigned, places, kWarps* kSortDigits);
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const size_t item = size_t(blockIdx.y) * size;
  const int64_t first = blockIdx.x * kSortTile + warp * (kRounds * 32);
  unsigned* const mine = places + warp * kSortDigits;
  for (int digit = lane; digit < kSortDigits; digit += 32) mine[digit] = 0;
  __syncwarp();
  unsigned before[kRounds];  // values of the same digit in the warp's stretch
  for (int round = 0; round < kRounds; ++round) {
    before[round] = 0;
    if (first + round * 32 >= size) continue;  // for all lanes
    const int64_t k = first + round * 32 + lane;
    const bool inside = k < size;
    const unsigned digit = inside ? unsigned(keys[item + k] >> shift) & 255 : 0;
    unsigned peers = kAllLanes;  // those outside come last, and nobody reads what they add
    for (int bit = 0; bit < 8; ++bit) {
      const unsigned with = __ballot_sync(kAllLanes, digit >> bit & 1);
      peers &= digit >> bit & 1 ? with : ~with;
    }
    const unsigned found = mine[digit], lower = __popc(peers & ((1u << lane) - 1));
    __syncwarp();
    before[round] = found + lower;
    if (inside && lower == 0) mine[digit] = found + __popc(peers);
    __syncwarp();
  }
  __syncthreads();
  const size_t tile = size_t(blockIdx.y) * gridDim.x + blockIdx.x;
  unsigned next = begins[tile * kSortDigits + threadIdx.x];
  for (int w = 0; w < kWarps; ++w) {
    const unsigned here = places[w * kSortDigits + threadIdx.x];
    places[w * kSortDigits + threadIdx.x] = next;
    next += here;
  }
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    const int64_t k = first + round * 32 + lane;
    if (k >= size) continue;
    const SortKey key = keys[item + k];
    const size_t to = item + mine[unsigned(key >> shift) & 255] + before[round];
    to_keys[to] = key;
    to_positions[to] = positions ? positions[item + k] : int32_t(k);
  }
}

constexpr double kEpsilon = 2.220446049250313e-16;

__device__ double value_of(unsigned long long key) {
  return __longlong_as_double((long long)(key >> 63 ? key & ~(1ull << 63) : ~key));
}

__device__ bool tie(double low, double high, double tolerance) {
  return low == high || high - low <= tolerance * fmax(fabs(low), fabs(high));
}

struct Places {
  int64_t begin, end;
};

// Those that tie with place k of sorted keys. A chain is followed from one value to the next one as
// long as its ends tie; there are few of them, each perhaps at many places.
__device__ Places tied_with(const unsigned long long* sorted, int64_t k, int64_t size,
                            double tolerance) {
  for (double gap = tolerance;; gap = gap < kEpsilon ? 0 : gap / 16) {
    Places found{k, k + 1};
    double low = value_of(sorted[k]), high = low;
    while (true) {
      const unsigned long long key = sorted[found.begin];
      const auto below = [&](int64_t at) { return sorted[at] < key; };
      if (found.begin > 0 && !below(found.begin - 1)) {
        found.begin = first_without(0, found.begin, below);
      }
      if (found.begin == 0) break;
      const double next = value_of(sorted[found.begin - 1]);
      if (!tie(next, low, gap)) break;
      low = next;
      --found.begin;
      if (!tie(low, high, tolerance)) break;
    }
    while (tie(low, high, tolerance)) {
      const unsigned long long key = sorted[found.end - 1];
      const auto equal = [&](int64_t at) { return sorted[at] == key; };
      if (found.end < size && equal(found.end)) found.end = first_without(found.end, size, equal);
      if (found.end == size) break;
      const double next = value_of(sorted[found.end]);
      if (!tie(high, next, gap)) break;
      high = next;
      ++found.end;
    }
    if (gap == 0 || tie(low, high, tolerance)) return found;
  }
}

// Ranks from sorted keys. Each of t tied values counts t^2 - 1 ties.
__global__ void __launch_bounds__(kThreads, 4)  // 64 registers: none spill
    rank_kernel(const unsigned long long* __restrict__ keys, const int32_t* __restrict__ positions,
                int64_t size, double tolerance, int32_t* __restrict__ ranks,
                double* __restrict__ ties) {
  SHARED_ARRAY(double, partial, 32);
  const size_t item = size_t(blockIdx.y) * size;
  const int64_t from = blockIdx.x * kSortTile;
  const int64_t last = from + kSortTile < size ? from + kSortTile : size;
  double sum = 0;
  for (int64_t k = from + threadIdx.x; k < last; k += kThreads) {
    const Places tied = tied_with(keys + item, k, size, tolerance);
    ranks[item + positions[item + k]] = int32_t(tied.begin + tied.end - size);
    const double equal = double(tied.end - tied.begin);
    sum += equal * equal - 1;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) ties[size_t(blockIdx.y) * gridDim.x + blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kMostThreads)
    tie_kernel(const double* __restrict__ parts, int64_t tiles, const unsigned* __restrict__ faults,
               double* __restrict__ ties) {
  SHARED_ARRAY(double, partial, 32);
  double sum = 0;
  for (int64_t tile = threadIdx.x; tile < tiles; tile += blockDim.x) {
    sum += parts[blockIdx.x * tiles + tile];
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) ties[blockIdx.x] = faults[blockIdx.x] ? NAN : sum;
}

void sort_vectors(const double* values, int64_t count, int64_t size, const SortSpace& space,
                  cudaStream_t stream) {
  const int64_t tiles = sort_tiles(size);
  const dim3 grid{unsigned(tiles), unsigned(count)}, block{kThreads};
  check(cudaMemsetAsync(space.faults, 0, size_t(count) * sizeof(unsigned), stream), "memset");
  launch(key_kernel, grid, threads_for(size), 0, stream, values, size, space.keys[0], space.faults);
  for (int digit = 0; digit < int(sizeof(SortKey)); ++digit) {
    const int from = digit % 2, to = 1 - from;
    launch(count_kernel, grid, block, 0, stream, space.keys[from], size, 8 * digit, space.counts);
    launch(scan_kernel, dim3(unsigned(count)), block, 0, stream, space.counts, tiles);
    launch(scatter_kernel, grid, block, 0, stream, space.keys[from],
           digit > 0 ? space.positions[from] : nullptr, space.counts, size, 8 * digit,
           space.keys[to], space.positions[to]);
  }
}

}  // namespace

void rank_vectors(const double* values, int64_t count, int64_t size, double tolerance,
                  const SortSpace& space, int32_t* ranks, double* ties, cudaStream_t stream) {
  const int64_t tiles = sort_tiles(size);
  const dim3 grid{unsigned(tiles), unsigned(count)};
  sort_vectors(values, count, size, space, stream);
  launch(rank_kernel, grid, dim3(kThreads), 0, stream, space.keys[0], space.positions[0], size,
         tolerance, ranks, space.ties);
  launch(tie_kernel, dim3(unsigned(count)), threads_for(tiles), 0, stream, space.ties, tiles,
         space.faults, ties);
}

}  // namespace likewise::cuda

// Nearest samples: products leave few candidates, whose dissimilarities are computed from
// differences in double (see neighbours/search.cpp). The k-th largest of a row is found by its
// digits, as integers that sort as the numbers do, one walk over the row per digit of 8 bits until
// all numbers that begin with the digits found are wanted: 3 or 4 digits for numbers without ties,
// the first time at memory bandwidth, then from the caches. 200 items of 2048 samples in float32
// are 3.4 GB of products and, at 20 instructions an entry, 100e9 instructions: 4 ms on an H100.

#include "core/cuda/magnitude.cuh"
#include "core/cuda/order.cuh"
#include "core/instantiate.h"
#include "neighbours/cuda/nearest.h"
#include "neighbours/neighbours.h"

namespace likewise::cuda {
namespace {

constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;
constexpr double kRounding = 4 * 2.2204460492503131e-16;
// How far a point may have been moved of which nothing else is known.
constexpr double kMoved = 1e-12;

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    direction_kernel(ItemFacts items, bool centred, double* __restrict__ points,
                     double* __restrict__ moved, T* __restrict__ out) {
  SHARED_ARRAY(double, partial, 32);
  const size_t row = blockIdx.x, item = row / items.rows;
  double* const values = points + row * items.cols;
  const double largest = largest_magnitude(values, items.cols, partial);
  const double unit = largest > 0 && largest < INFINITY ? ldexp(1.0, -ilogb(largest)) : 1;
  double squares = 0, spreads = 0;
  for (int64_t j = threadIdx.x; j < items.cols; j += blockDim.x) {
    squares += values[j] * unit * (values[j] * unit);
    const double spread = items.spreads[item * items.cols + j] * items.unit[item];
    spreads += spread * spread;
  }
  __syncthreads();  // `partial` is used again
  squares = block_sum(squares, partial);
  __syncthreads();
  spreads = block_sum(spreads, partial);
  const double norm = sqrt(squares) / unit;
  // A column's spread is at most twice the largest distance from its first value.
  const double share = centred ? kRounding * 2 * sqrt(spreads) / norm : kRounding;
  const bool directed = squares > 0 && share < 0.25;
  for (int64_t j = threadIdx.x; j < items.cols; j += blockDim.x) {
    const double value = directed ? values[j] * unit / sqrt(squares) : 0;
    values[j] = value;
    out[row * items.cols + j] = T(value);
  }
  if (threadIdx.x == 0) moved[row] = directed ? share : 1;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    half_norm_kernel(ItemFacts items, const T* __restrict__ data, double* __restrict__ half_norms) {
  SHARED_ARRAY(double, partial, 32);
  const size_t row = blockIdx.x;
  double squares = 0;
  for (int64_t j = threadIdx.x; j < items.cols; j += blockDim.x) {
    const double value = double(data[row * items.cols + j]);
    squares += value * value;
  }
  squares = block_sum(squares, partial);
  if (threadIdx.x == 0) half_norms[row] = squares / 2;
}

__global__ void __launch_bounds__(kMostThreads) status_kernel(ItemFacts items) {
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < items.count;
       k += int64_t(gridDim.x) * blockDim.x) {
    const bool constant = items.constant_units[k] == items.cols;
    items.status[k] = constant || !(items.unit[k] < INFINITY) ? kUnusable : 0;
  }
}

// In every thread of a block the largest of its values. A barrier must lie between two uses of
// `partial`.
__device__ double block_max(double value, double* partial) {
  for (int step = 16; step > 0; step /= 2) {
    const double other = __shfl_xor_sync(kAllLanes, value, step);
    value = other > value ? other : value;
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  for (unsigned w = 0; w < blockDim.x / 32; ++w) value = partial[w] > value ? partial[w] : value;
  return value;
}

// Where the largest end: keys whose head is larger are among them, and of those whose head is the
// same the first `wanted`.
template <class Key>
struct Cut {
  Key head;
  int shift;  // head = key >> shift
  unsigned wanted;
};

// Of the values of a row, its own left out.
template <class Value>
__device__ auto find_cut(Value&& value, int64_t size, int64_t own, unsigned k) {
  SHARED_ARRAY(unsigned, counts, kDigits);
  SHARED_ARRAY(unsigned, picked, 3);
  using Key = decltype(key_of(value(0)));
  constexpr int kBits = 8 * int(sizeof(Key));
  Cut<Key> cut{0, kBits, k};
  unsigned equal = 0;
  while (cut.shift > 0 && cut.wanted != equal) {
    const int above = cut.shift;
    cut.shift -= kDigitBits;
    for (int d = int(threadIdx.x); d < kDigits; d += int(blockDim.x)) counts[d] = 0;
    __syncthreads();
    for (int64_t j = threadIdx.x; j < size; j += blockDim.x) {
      const Key key = key_of(value(j));
      const bool begins = above == kBits || key >> above == cut.head;
      if (begins && j != own) atomicAdd(&counts[key >> cut.shift & (kDigits - 1)], 1u);
    }
    __syncthreads();
    if (threadIdx.x < 32) {
      find_digit<kDigits>(counts, cut.wanted, true, [&](int found, unsigned before, unsigned here) {
        picked[0] = unsigned(found);
        picked[1] = cut.wanted - before;
        picked[2] = here;
      });
    }
    __syncthreads();
    cut.head = cut.head << kDigitBits | picked[0];
    cut.wanted = picked[1];
    equal = picked[2];
  }
  return cut;
}

// The k-th largest of these values, in every thread.
template <class Value>
__device__ double kth_largest(Value&& value, int64_t size, int64_t own, unsigned k,
                              double* partial) {
  const auto cut = find_cut(value, size, own, k);
  double below = -INFINITY;  // the least of the largest, its sign turned
  for (int64_t j = threadIdx.x; j < size; j += blockDim.x) {
    const double here = -double(value(j));
    if (j != own && key_of(value(j)) >> cut.shift >= cut.head) below = here > below ? here : below;
  }
  __syncthreads();
  return -block_max(below, partial);
}

// How a sample of an item relates to the others.
template <class T>
struct Sample {
  Dissimilarities<T> of;
  size_t begin;  // of the item's samples
  size_t item;
  int64_t own;
  double error, smallest, tolerance;

  __device__ double half(int64_t j) const { return of.half_norms ? of.half_norms[begin + j] : 0.5; }

  // How far rounding may have moved the dissimilarity from sample j or (-1) from any other.
  __device__ double noise(int64_t j, double dissimilarity) const {
    if (!of.moved || of.moved[begin + own] == 1) return 0;
    const double other = j < 0 ? kMoved : of.moved[begin + j];
    if (other == 1) return 0;
    const double both = of.moved[begin + own] + other;
    return both * (sqrt(2 * dissimilarity) + both);
  }

  // Samples tie where the lower end of the farther is not beyond the upper end of the nearer.
  __device__ double lower(int64_t j, double dissimilarity) const {
    return dissimilarity - tolerance * dissimilarity - noise(j, dissimilarity);
  }
  __device__ double upper(int64_t j, double dissimilarity) const {
    return dissimilarity + noise(j, dissimilarity);
  }

  // From the difference, by one warp.
  __device__ double dissimilarity(int64_t j) const {
    const size_t here = (begin + own) * of.cols, there = (begin + j) * of.cols;
    double squares = 0;
    if (of.points) {
      if (of.moved[begin + own] == 1 || of.moved[begin + j] == 1) return 1;
      for (int64_t c = threadIdx.x & 31; c < of.cols; c += 32) {
        const double step = of.points[here + c] - of.points[there + c];
        squares += step * step;
      }
    } else {
      for (int64_t c = threadIdx.x & 31; c < of.cols; c += 32) {
        const double step =
            (double(of.samples[here + c]) - double(of.samples[there + c])) * of.unit[item];
        squares += step * step;
      }
    }
    return warp_sum(squares) / 2;
  }
};

// The samples nearest to one: those nearer than a group of equally near ones, and its first.
struct Chosen {
  double floor, reach;  // of the group: its lowest lower end, its highest upper end
};

// dissimilarities[j] of all candidates, infinity of others; returns the bounds of the group that
// holds the k-th.
template <class T>
__device__ Chosen choose(const Sample<T>& sample, const T* products, int64_t k, bool wanted,
                         double* dissimilarities, double* partial) {
  const int64_t n = sample.of.rows, own = sample.own;
  const double error = sample.error, tolerance = sample.tolerance, half = sample.half(own);
  const double kth =
      kth_largest([&](int64_t j) { return T(double(products[j]) - (1 + error) * sample.half(j)); },
                  n, own, unsigned(k), partial);
  double next = (1 + error) * half - kth + sample.smallest;  // the k nearest are not farther
  next = next > sample.smallest ? next : sample.smallest;
  const int lane = int(threadIdx.x) & 31;
  while (true) {
    const double limit = next * (1 + 4 * tolerance) + 4 * sample.noise(-1, next);
    const double least = (1 - error) * half - sample.smallest - limit;
    const auto is_candidate = [&](int64_t j) {
      return j < n && j != own &&
             double(products[j]) - (1 - error) * sample.half(j < n ? j : own) >= least;
    };
    double count = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) count += is_candidate(j);
    __syncthreads();  // `partial` and the dissimilarities are free
    count = block_sum(count, partial);
    const bool all_taken = !wanted && count == double(k);
    for (int64_t at = int64_t(threadIdx.x) - lane; at < n; at += blockDim.x) {
      const int64_t j = at + lane;
      const bool there = is_candidate(j);
      unsigned candidates = __ballot_sync(kAllLanes, there);
      if (j < n) dissimilarities[j] = there ? 0.0 : double(INFINITY);
      for (; candidates != 0 && !all_taken; candidates &= candidates - 1) {
        const int bit = __ffs(int(candidates)) - 1;
        const double value = sample.dissimilarity(at + bit);
        __syncwarp();
        if (lane == 0) dissimilarities[at + bit] = value;
      }
    }
    __syncthreads();
    if (all_taken) return {0, 0};
    const double found =
        -kth_largest([&](int64_t j) { return -dissimilarities[j]; }, n, own, unsigned(k), partial);
    Chosen group{found, found};
    for (bool grown = true; grown;) {
      double lowest = -group.floor, highest = group.reach;
      for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
        const double value = dissimilarities[j];
        if (!(value < INFINITY)) continue;
        const double low = sample.lower(j, value), high = sample.upper(j, value);
        if (high < group.floor || low > group.reach) continue;
        lowest = -low > lowest ? -low : lowest;
        highest = high > highest ? high : highest;
      }
      __syncthreads();
      lowest = -block_max(lowest, partial);
      __syncthreads();
      highest = block_max(highest, partial);
      grown = lowest < group.floor || highest > group.reach;
      group = {lowest, highest};
    }
    const double beyond = limit - tolerance * limit - sample.noise(-1, limit);
    if (count >= double(n - 1) || beyond > group.reach) return group;
    next = group.reach * (1 + tolerance) > limit ? group.reach * (1 + tolerance) : limit;
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 2)  // 128 registers: none spill
    nearest_kernel(NearestRows<T> block, double error, double smallest, double tolerance) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(unsigned, warp_above, kMostThreads / 32);
  SHARED_ARRAY(unsigned, warp_equal, kMostThreads / 32);
  const size_t item = blockIdx.y;
  const int64_t own = block.first + blockIdx.x, n = block.of.rows;
  const size_t out = (item * n + own) * block.k;
  if (block.of.status[item] != 0) {  // any neighbours, but neighbours
    for (int64_t t = threadIdx.x; t < block.k; t += blockDim.x) {
      block.index[out + t] = int32_t(t + (t >= own));
      if (block.similarity) block.similarity[out + t] = 0;
    }
    return;
  }
  const size_t row = (item * block.count + blockIdx.x) * n;
  double* const values = block.work + row;
  const Sample<T> sample{block.of, item * n, item, own, error, smallest, tolerance};
  const Chosen group =
      choose(sample, block.products + row, block.k, block.similarity != nullptr, values, partial);
  const auto is_nearer = [&](int64_t j) {
    return j < n && values[j] < INFINITY && sample.upper(j, values[j]) < group.floor;
  };
  const auto is_tied = [&](int64_t j) {
    return j < n && values[j] < INFINITY && !(sample.upper(j, values[j]) < group.floor) &&
           !(sample.lower(j, values[j]) > group.reach);
  };
  // Every warp has a stretch of the row, so that it can count places by itself.
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const int64_t stretch = (n + blockDim.x - 1) / blockDim.x * 32;
  const int64_t begin = warp * stretch, end = begin + stretch;
  unsigned above = 0, equal = 0;
  for (int64_t j = begin + lane; j - lane < end; j += 32) {
    above += __popc(__ballot_sync(kAllLanes, is_nearer(j)));
    equal += __popc(__ballot_sync(kAllLanes, is_tied(j)));
  }
  if (lane == 0) {
    warp_above[warp] = above;
    warp_equal[warp] = equal;
  }
  __syncthreads();
  above = equal = 0;
  unsigned wanted = unsigned(block.k);
  for (int w = 0; w < int(blockDim.x) / 32; ++w) {
    wanted -= warp_above[w];
    if (w >= warp) continue;
    above += warp_above[w];
    equal += warp_equal[w];
  }
  const unsigned before = (1u << lane) - 1;
  for (int64_t j = begin + lane; j - lane < end; j += 32) {
    const bool nearer = is_nearer(j), tied = is_tied(j);
    const unsigned larger = __ballot_sync(kAllLanes, nearer);
    const unsigned same = __ballot_sync(kAllLanes, tied);
    const unsigned rank = equal + __popc(same & before);
    if (nearer || (tied && rank < wanted)) {
      const size_t at = out + above + __popc(larger & before) + (rank < wanted ? rank : wanted);
      block.index[at] = int32_t(j);
      if (block.similarity) block.similarity[at] = 1 - values[j];
    }
    above += __popc(larger);
    equal += __popc(same);
  }
}

}  // namespace

template <class T>
void take_directions(const ItemFacts& items, bool centred, double* points, double* moved, T* out,
                     cudaStream_t stream) {
  launch(status_kernel, blocks_for(items.count), threads_for(items.count), 0, stream, items);
  launch(direction_kernel<T>, dim3(unsigned(items.count * items.rows)), threads_for(items.cols), 0,
         stream, items, centred, points, moved, out);
}

template <class T>
void take_half_norms(const ItemFacts& items, const T* data, double* half_norms,
                     cudaStream_t stream) {
  launch(status_kernel, blocks_for(items.count), threads_for(items.count), 0, stream, items);
  launch(half_norm_kernel<T>, dim3(unsigned(items.count * items.rows)), threads_for(items.cols), 0,
         stream, items, data, half_norms);
}

template <class T>
void find_nearest(const NearestRows<T>& block, cudaStream_t stream) {
  // Sums of `cols` terms; 16: of rows, norms and values. The rounding of one is half an epsilon.
  constexpr double kUnit = sizeof(T) == 4 ? 0.51 * 0x1p-23 : 0.51 * 0x1p-52;
  constexpr double kLeast = sizeof(T) == 4 ? 0x1p-126 : 0x1p-1022;
  const double terms = double(block.of.cols);
  launch(nearest_kernel<T>, dim3(unsigned(block.count), unsigned(block.items)),
         threads_for(block.of.rows), 0, stream, block, (terms + 16) * kUnit, terms * kLeast,
         kTieTolerance<T>);
}

LIKEWISE_INSTANTIATE(take_directions);
LIKEWISE_INSTANTIATE(take_half_norms);
LIKEWISE_INSTANTIATE(find_nearest);

}  // namespace likewise::cuda

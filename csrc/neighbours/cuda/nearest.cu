// Nearest samples by the digits of the k-th largest value, as integers that sort as the numbers do.
// A block goes through one row of products once per digit of 8 bits, until all numbers that begin
// with the digits found are wanted (3 or 4 digits for numbers without ties), and twice to write:
// the first time at memory bandwidth, then from the caches. 200 items of 2048 samples in float32
// are 3.4 GB of products and, at 10 instructions an entry, 50e9 instructions: 2 ms on an H100.

#include "core/cuda/order.cuh"
#include "neighbours/cuda/nearest.h"

namespace likewise::cuda {
namespace {

constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;

template <class T>
__global__ void __launch_bounds__(kMostThreads) finish_kernel(SampleRows<T> items) {
  SHARED_ARRAY(double, partial, 32);
  const size_t row = blockIdx.x, item = row / items.rows;
  T* const values = items.data + row * items.cols;
  double squares = 0;
  for (int64_t j = threadIdx.x; j < items.cols; j += blockDim.x) {
    squares += double(values[j]) * double(values[j]);
  }
  squares = block_sum(squares, partial);
  if (threadIdx.x == 0 && row == item * items.rows) {
    const bool constant = items.constant_units[item] == items.cols;
    items.status[item] = constant || !(items.unit[item] < INFINITY) ? kUnusable : 0;
  }
  if (items.half_norms) {
    if (threadIdx.x == 0) items.half_norms[row] = T(squares / 2);
    return;
  }
  if (squares == 0) return;
  const double norm = sqrt(squares);
  for (int64_t j = threadIdx.x; j < items.cols; j += blockDim.x) {
    values[j] = T(double(values[j]) / norm);
  }
}

// How near all samples are to one of them.
template <class T>
struct Row {
  const T *products, *half_norms;
  int64_t size, own;

  __device__ T value(int64_t j) const {
    return half_norms ? products[j] - half_norms[j] : products[j];
  }
  __device__ bool has(int64_t j) const { return j < size && j != own; }
};

// Where the nearest end: keys whose head is larger are among them, and of those whose head is the
// same the first `wanted`.
template <class Key>
struct Cut {
  Key head;
  int shift;  // head = key >> shift
  unsigned wanted;
};

// What the digits say, by one warp: going down from the largest, the digit with the number wanted,
// how many with this digit are wanted and how many there are.
__device__ void pick_digit(const unsigned* counts, unsigned wanted, unsigned* picked) {
  constexpr int kEach = kDigits / 32;
  const int lane = int(threadIdx.x), top = kDigits - 1 - lane * kEach;
  unsigned sum = 0;
  for (int t = 0; t < kEach; ++t) sum += counts[top - t];
  unsigned end = sum;
  for (int step = 1; step < 32; step *= 2) {
    const unsigned other = __shfl_up_sync(kAllLanes, end, step);
    if (lane >= step) end += other;
  }
  unsigned above = end - sum;
  if (above >= wanted || end < wanted) return;
  int digit = top;
  while (above + counts[digit] < wanted) above += counts[digit--];
  picked[0] = unsigned(digit);
  picked[1] = wanted - above;
  picked[2] = counts[digit];
}

template <class T>
__device__ auto find_cut(const Row<T>& row, unsigned k) {
  SHARED_ARRAY(unsigned, counts, kDigits);
  SHARED_ARRAY(unsigned, picked, 3);
  using Key = decltype(key_of(T()));
  constexpr int kBits = 8 * int(sizeof(Key));
  Cut<Key> cut{0, kBits, k};
  unsigned equal = 0;
  while (cut.shift > 0 && cut.wanted != equal) {
    const int above = cut.shift;
    cut.shift -= kDigitBits;
    for (int d = int(threadIdx.x); d < kDigits; d += int(blockDim.x)) counts[d] = 0;
    __syncthreads();
    for (int64_t j = threadIdx.x; j < row.size; j += blockDim.x) {
      const Key key = key_of(row.value(j));
      const bool begins = above == kBits || key >> above == cut.head;
      if (begins && row.has(j)) atomicAdd(&counts[key >> cut.shift & (kDigits - 1)], 1u);
    }
    __syncthreads();
    if (threadIdx.x < 32) pick_digit(counts, cut.wanted, picked);
    __syncthreads();
    cut.head = cut.head << kDigitBits | picked[0];
    cut.wanted = picked[1];
    equal = picked[2];
  }
  return cut;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads) nearest_kernel(NearestRows<T> block) {
  SHARED_ARRAY(unsigned, warp_above, kMostThreads / 32);
  SHARED_ARRAY(unsigned, warp_equal, kMostThreads / 32);
  const size_t item = blockIdx.y;
  const int64_t own = block.first + blockIdx.x, n = block.rows;
  const Row<T> row{block.products + (item * block.count + blockIdx.x) * n,
                   block.half_norms ? block.half_norms + item * n : nullptr, n, own};
  const auto cut = find_cut(row, unsigned(block.k));
  // Every warp has a stretch of the row, so that it can count places by itself.
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const int64_t stretch = (n + blockDim.x - 1) / blockDim.x * 32;
  const int64_t begin = warp * stretch, end = begin + stretch;
  unsigned above = 0, equal = 0;
  for (int64_t j = begin + lane; j - lane < end; j += 32) {
    const bool there = row.has(j);
    const auto head = there ? key_of(row.value(j)) >> cut.shift : 0;
    above += __popc(__ballot_sync(kAllLanes, there && head > cut.head));
    equal += __popc(__ballot_sync(kAllLanes, there && head == cut.head));
  }
  if (lane == 0) {
    warp_above[warp] = above;
    warp_equal[warp] = equal;
  }
  __syncthreads();
  above = equal = 0;
  for (int w = 0; w < warp; ++w) {
    above += warp_above[w];
    equal += warp_equal[w];
  }
  const size_t out = (item * n + own) * block.k;
  const unsigned before = (1u << lane) - 1;
  for (int64_t j = begin + lane; j - lane < end; j += 32) {
    const bool there = row.has(j);
    const T value = there ? row.value(j) : T(0);
    const auto head = key_of(value) >> cut.shift;
    const unsigned larger = __ballot_sync(kAllLanes, there && head > cut.head);
    const unsigned same = __ballot_sync(kAllLanes, there && head == cut.head);
    const unsigned rank = equal + __popc(same & before);
    if (there && (head > cut.head || (head == cut.head && rank < cut.wanted))) {
      const unsigned taken = rank < cut.wanted ? rank : cut.wanted;
      const size_t at = out + above + __popc(larger & before) + taken;
      block.index[at] = int32_t(j);
      if (block.similarity) block.similarity[at] = value;
    }
    above += __popc(larger);
    equal += __popc(same);
  }
}

}  // namespace

template <class T>
cudaError_t finish_rows(const SampleRows<T>& items, cudaStream_t stream) {
  return launch(finish_kernel<T>, dim3(unsigned(items.count * items.rows)), threads_for(items.cols),
                0, stream, items);
}

template <class T>
cudaError_t find_nearest(const NearestRows<T>& block, cudaStream_t stream) {
  return launch(nearest_kernel<T>, dim3(unsigned(block.count), unsigned(block.items)),
                threads_for(block.rows), 0, stream, block);
}

#define LIKEWISE_INSTANTIATE(T)                                            \
  template cudaError_t finish_rows<T>(const SampleRows<T>&, cudaStream_t); \
  template cudaError_t find_nearest<T>(const NearestRows<T>&, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

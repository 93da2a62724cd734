// Agreement of neighbour lists: a thread merges the two lists of one sample, 2 k steps; alignments
// look up the neighbours of k others by bisection and read row sums. All pairs of 200 items of 2048
// samples with k = 10 are 1.6e9 steps, some 20e9 instructions and 6.6 GB out of the L2 cache: 1 to
// 2 ms on an H100, and three times this for alignments.

#include "core/cuda/kernel.cuh"
#include "core/cuda/pairs.cuh"
#include "neighbours/alignment.h"
#include "neighbours/cuda/overlap.h"

namespace likewise::cuda {
namespace {

constexpr int kSamples = kMostThreads;  // of a part: one per thread

// Whether the pair is left to its mirror image.
__device__ bool left_out(const NeighbourPairs& pairs, const ItemPair& items) {
  return pairs.mirrored && items.b > items.a;
}

// Calls body(neighbour, place in x, place in y) for what two ascending lists have in common.
template <class Body>
__device__ void for_each_common(const int32_t* x, const int32_t* y, int64_t k, Body&& body) {
  int64_t p = 0, q = 0;
  while (p < k && q < k) {
    const int32_t left = x[p], right = y[q];
    if (left == right) body(left, p, q);
    p += left <= right;
    q += right <= left;
  }
}

// The place of a value in an ascending list, or -1.
__device__ int64_t place_of(const int32_t* list, int64_t k, int32_t value) {
  int64_t begin = 0, end = k;
  while (begin < end) {
    const int64_t middle = (begin + end) / 2;
    if (list[middle] < value) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin < k && list[begin] == value ? begin : -1;
}

__global__ void __launch_bounds__(kSamples)
    share_kernel(NeighbourPairs pairs, bool of_union, double* __restrict__ parts) {
  SHARED_ARRAY(double, partial, 32);
  const ItemPair items = items_of(pairs.axes, pairs.first + blockIdx.y);
  if (left_out(pairs, items)) return;
  const int64_t sample = int64_t(blockIdx.x) * kSamples + threadIdx.x, k = pairs.k;
  double share = 0;
  if (sample < pairs.rows) {
    const int32_t* const x = pairs.index_a + (items.a * pairs.rows + sample) * k;
    const int32_t* const y = pairs.index_b + (items.b * pairs.rows + sample) * k;
    int64_t common = 0;
    for_each_common(x, y, k, [&](int32_t, int64_t, int64_t) { ++common; });
    share = double(common) / double(of_union ? 2 * k - common : k);
  }
  share = block_sum(share, partial);
  if (threadIdx.x == 0) parts[size_t(blockIdx.y) * gridDim.x + blockIdx.x] = share;
}

__global__ void __launch_bounds__(kSamples)
    row_kernel(NeighbourPairs pairs, const double* __restrict__ similarity_b,
               double* __restrict__ row_sums) {
  const int64_t sample = int64_t(blockIdx.x) * kSamples + threadIdx.x, k = pairs.k;
  if (sample >= pairs.rows) return;
  const ItemPair items = items_of(pairs.axes, pairs.first + blockIdx.y);
  const size_t x = (items.a * pairs.rows + sample) * k, y = (items.b * pairs.rows + sample) * k;
  double sum = 0;
  for_each_common(pairs.index_a + x, pairs.index_b + y, k,
                  [&](int32_t, int64_t, int64_t q) { sum += similarity_b[y + q]; });
  row_sums[size_t(blockIdx.y) * pairs.rows + sample] = sum;
}

// With A and B the similarities of common neighbours: sums of A_ij B_ji, of A_ij (B 1)_j, which is
// 1' A B 1, of A and of B.
__global__ void __launch_bounds__(kSamples)
    align_kernel(NeighbourPairs pairs, const double* __restrict__ similarity_a,
                 const double* __restrict__ similarity_b, const double* __restrict__ row_sums,
                 double* __restrict__ parts) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t sample = int64_t(blockIdx.x) * kSamples + threadIdx.x, k = pairs.k;
  const ItemPair items = items_of(pairs.axes, pairs.first + blockIdx.y);
  const size_t a = items.a * pairs.rows * k, b = items.b * pairs.rows * k;
  const double* const sums_b = row_sums + size_t(blockIdx.y) * pairs.rows;
  double sums[kAlignmentTerms] = {};
  if (sample < pairs.rows) {
    const size_t x = a + sample * k;
    for_each_common(
        pairs.index_a + x, pairs.index_b + b + sample * k, k, [&](int32_t j, int64_t p, int64_t) {
          const double value = similarity_a[x + p];
          const size_t others_a = a + j * k, others_b = b + j * k;
          const int64_t back = place_of(pairs.index_b + others_b, k, int32_t(sample));
          if (back >= 0 && place_of(pairs.index_a + others_a, k, int32_t(sample)) >= 0) {
            sums[0] += value * similarity_b[others_b + back];
          }
          sums[1] += value * sums_b[j];
          sums[2] += value;
        });
    sums[3] = sums_b[sample];
  }
  double* const out = parts + (size_t(blockIdx.y) * gridDim.x + blockIdx.x) * kAlignmentTerms;
  for (int t = 0; t < kAlignmentTerms; ++t) {
    const double sum = block_sum(sums[t], partial);
    if (threadIdx.x == 0) out[t] = sum;
    __syncthreads();  // `partial` is used again
  }
}

template <int kTerms>
__global__ void __launch_bounds__(kMostThreads)
    score_kernel(NeighbourPairs pairs, OverlapScores out, int64_t parts) {
  const int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, pair = pairs.first + k;
  if (k >= pairs.count) return;
  const ItemPair items = items_of(pairs.axes, pair);
  if (left_out(pairs, items)) return;
  double sums[kTerms] = {};
  for (int64_t part = 0; part < parts; ++part) {
    for (int t = 0; t < kTerms; ++t) sums[t] += out.parts[(k * parts + part) * kTerms + t];
  }
  const double n = double(pairs.rows);
  double score = sums[0] / n;
  const bool usable = out.status_a[items.a] == 0 && out.status_b[items.b] == 0;
  if constexpr (kTerms == kAlignmentTerms) {
    // Song et al. 2012, equation 5, without 1 / (n (n - 3)).
    const double of_sums = sums[2] * sums[3] / ((n - 1) * (n - 2)), of_rows = 2 / (n - 2) * sums[1];
    score = sums[0] + of_sums - of_rows;
    const double terms = fabs(sums[0]) + fabs(of_sums) + fabs(of_rows);
    if (fabs(score) <= kAlignmentRounding * terms) score = 0;
    if (out.own_a) {
      score /= sqrt(out.own_a[items.a] * out.own_b[items.b]);
    } else if (usable && !(score > 0)) {
      out.status_a[items.a] = kUnaligned;
    }
  }
  if (!usable) score = NAN;
  out.scores[pair] = score;
  if (pairs.mirrored) out.scores[items.b * pairs.axes.shape[0] + items.a] = score;
}

dim3 blocks_of_parts(const NeighbourPairs& pairs) {
  return dim3(unsigned(overlap_parts(pairs.rows)), unsigned(pairs.count));
}

template <int kTerms>
void launch_scores(const NeighbourPairs& pairs, const OverlapScores& out, cudaStream_t stream) {
  launch(score_kernel<kTerms>, blocks_for(pairs.count), threads_for(pairs.count), 0, stream, pairs,
         out, overlap_parts(pairs.rows));
}

}  // namespace

int64_t overlap_parts(int64_t rows) { return (rows + kSamples - 1) / kSamples; }

void share_neighbours(const NeighbourPairs& pairs, bool of_union, double* parts,
                      cudaStream_t stream) {
  launch(share_kernel, blocks_of_parts(pairs), threads_for(pairs.rows), 0, stream, pairs, of_union,
         parts);
}

void align_neighbours(const NeighbourPairs& pairs, const double* similarity_a,
                      const double* similarity_b, double* row_sums, double* parts,
                      cudaStream_t stream) {
  const dim3 grid = blocks_of_parts(pairs), block = threads_for(pairs.rows);
  launch(row_kernel, grid, block, 0, stream, pairs, similarity_b, row_sums);
  launch(align_kernel, grid, block, 0, stream, pairs, similarity_a, similarity_b, row_sums, parts);
}

void score_shared(const NeighbourPairs& pairs, const OverlapScores& out, cudaStream_t stream) {
  launch_scores<kSharedTerms>(pairs, out, stream);
}

void score_alignments(const NeighbourPairs& pairs, const OverlapScores& out, cudaStream_t stream) {
  launch_scores<kAlignmentTerms>(pairs, out, stream);
}

}  // namespace likewise::cuda

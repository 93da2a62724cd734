#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

constexpr int64_t kSortTile = 4096;  // values that one block sorts by a digit
constexpr int kSortDigits = 256;

inline int64_t sort_tiles(int64_t size) { return (size + kSortTile - 1) / kSortTile; }

template <class T>
struct SortKey;
template <>
struct SortKey<float> {
  using type = unsigned;
};
template <>
struct SortKey<double> {
  using type = unsigned long long;
};

// Work of sorting and ranking `count` vectors of `size` values.
template <class T>
struct SortSpace {
  typename SortKey<T>::type* keys[2];  // count x size
  int32_t* positions[2];               // count x size
  unsigned* counts;                    // count x sort_tiles(size) x kSortDigits
  double* ties;                        // count x sort_tiles(size), of ranking alone
  unsigned* faults;                    // count
};

// Sorts keys (count x size) by their lowest digits of 8 bits, equal ones in their order, and with
// them the positions (not `placed`: those where the keys are, from 0 on). Both are in
// space.keys[0] and positions[0] before, and in [digits % 2] then. At most 65535 vectors.
template <class T>
cudaError_t sort_keys(int64_t count, int64_t size, int digits, bool placed,
                      const SortSpace<T>& space, cudaStream_t stream);

// space.positions[0][j] becomes the place of the j-th smallest value of its vector, both zeros
// being equal and equal values staying in order. At most 65535 vectors of less than 2^31 values.
// NaN comes last, or first where its sign is set.
template <class T>
cudaError_t sort_vectors(const T* values, int64_t count, int64_t size, const SortSpace<T>& space,
                         cudaStream_t stream);

// The same with ranks[i] = 2 r_i - (size + 1), r_i being the rank of value i of its vector from 1
// to size, tied values (see rsa/ranks.h) sharing the mean of theirs; ties (count): sum of t^3 - t
// over all sets of t tied values. NaN where a value is not finite; the ranks mean nothing then.
cudaError_t rank_vectors(const double* values, int64_t count, int64_t size, double tolerance,
                         const SortSpace<double>& space, int32_t* ranks, double* ties,
                         cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

constexpr int64_t kSortTile = 4096;  // values that one block sorts by a digit
constexpr int kSortDigits = 256;

inline int64_t sort_tiles(int64_t size) { return (size + kSortTile - 1) / kSortTile; }

using SortKey = unsigned long long;

// Work of ranking `count` vectors of `size` values.
struct SortSpace {
  SortKey* keys[2];       // count x size
  int32_t* positions[2];  // count x size
  unsigned* counts;       // count x sort_tiles(size) x kSortDigits
  double* ties;           // count x sort_tiles(size)
  unsigned* faults;       // count
};

// ranks[i] = 2 r_i - (size + 1), r_i being the rank of value i of its vector from 1 to size, tied
// values (see rsa/ranks.h), among them both zeros, sharing the mean of theirs; ties (count): sum of
// t^3 - t over all sets of t tied values. NaN where a value is not finite; the ranks mean nothing
// then. At most 65535 vectors of less than 2^31 values.
void rank_vectors(const double* values, int64_t count, int64_t size, double tolerance,
                  const SortSpace& space, int32_t* ranks, double* ties, cudaStream_t stream);

}  // namespace likewise::cuda

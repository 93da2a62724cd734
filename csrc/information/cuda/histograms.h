#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Codes of the units of `count` pairs of items: x (count x dx x samples), y (count x dy x samples).
// There are count x dx x dy pairs of units. Less than 2^32 samples. Units that have a NaN are
// marked (count x dx) and (count x dy); null if there are none.
struct CodedPairs {
  const uint8_t* x;
  const uint8_t* y;
  int64_t dx, dy, samples;
  const int64_t* unknown_x = nullptr;
  const int64_t* unknown_y = nullptr;
};

// counts (pairs x bins x bins) += the joint histograms of the pairs from `first` on, `pairs` <
// 2^31. Of pairs with an unknown unit the first one loses likewise::kUnknownPair.
cudaError_t add_joint_counts(const CodedPairs& codes, int64_t first, int64_t pairs, int64_t bins,
                             int64_t* counts, cudaStream_t stream);

// out (pairs) as likewise::information_of_counts; at most 256 bins, pairs < 2^31.
cudaError_t information_of_counts(const int64_t* counts, int64_t pairs, int64_t bins, bool correct,
                                  double* out, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "rsa/dissimilarity.h"

namespace likewise::cuda {

// What one look at a representation tells.
struct RdmItem {
  double unit;  // power of two that its distances are multiplied by
  int64_t constant_units;
  bool constant;  // all units are
};

// From the spreads of its columns about the first sample (count x cols).
cudaError_t describe_items(const double* spreads, int64_t count, int64_t cols, RdmItem* items,
                           cudaStream_t stream);

// Samples of `count` representations (rows x cols) ready for products: of unit norm (correlation:
// centred before), or (distances) measured from the first sample, which keeps whole numbers whole
// and equal distances equal, in units of the item.
template <class T>
struct StandardSamples {
  T* out;
  double* norms;         // count x rows: squared, of distances alone
  const RdmItem* items;  // of distances alone
  int64_t* without;  // count: samples without variance or length, which become 0, are added; null:
                     // nobody will look
};
template <class T>
cudaError_t standardise(const T* x, int64_t count, int64_t rows, int64_t cols,
                        Dissimilarity dissimilarity, const StandardSamples<T>& to,
                        cudaStream_t stream);

// Entries of pairs i < j of condensed RDMs (count x rows (rows - 1) / 2), i in
// [first, first + height), from inner products of the standardised samples: those of sample i with
// samples [first, rows). Distances of nearly equal samples are summed from differences.
template <class T>
struct RdmRows {
  const T* products;  // count x height x (rows - first)
  const T* x;         // count x rows x cols, as they came
  const double* norms;
  const RdmItem* items;
  T* out;
  int64_t count, rows, cols, first, height;
};
template <class T>
cudaError_t condense(const RdmRows<T>& block, Dissimilarity dissimilarity, cudaStream_t stream);

}  // namespace likewise::cuda

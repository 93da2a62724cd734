#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Centred items, one behind the other, and what centring found (see core/cuda/centred.h).
template <class T>
struct SampleRows {
  T* data;        // count x rows x cols
  T* half_norms;  // count x rows, for distances; null for cosines
  const double* unit;
  const int64_t* constant_units;
  int64_t* status;  // of every item: 0, or kUnusable
  int64_t count, rows, cols;
};

// status of an item that is constant or holds NaN or infinity
constexpr int64_t kUnusable = 1;

// For cosines divides all rows by their norms, zeros staying zeros; for distances writes half of
// every squared norm.
template <class T>
cudaError_t finish_rows(const SampleRows<T>& items, cudaStream_t stream);

// Rows [first, first + count) of the inner products of `items` sets of samples.
template <class T>
struct NearestRows {
  const T* products;    // items x count x rows
  const T* half_norms;  // items x rows, or null
  int64_t items, rows, first, count, k;
  int32_t* index;  // items x rows x k
  T* similarity;   // the same, or null
};

// The k largest products (less half norms) of every row, its own sample left out, of equal ones
// those of lowest index: ascending by index, k in [1, rows - 1]. At most 32768 items.
template <class T>
cudaError_t find_nearest(const NearestRows<T>& block, cudaStream_t stream);

}  // namespace likewise::cuda

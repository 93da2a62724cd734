#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Units (count x samples) one behind the other, and the places of the values of each in ascending
// order, as sort_vectors leaves them.
template <class T>
struct SortedUnits {
  const T* values;
  const int32_t* order;
  int64_t count, samples;
};

// edges (count x bins - 2): quantiles of the values of each unit that are not zero, as NumPy
// interpolates them, to the last bit; zeros where all are, NaN where one is. Every constant unit
// adds 1 to constant_units[step * ((first + unit) / units_per_item)].
struct ConstantCounters {
  int64_t* numbers;
  int64_t step, first, units_per_item;
};
template <class T>
cudaError_t bin_edges(const SortedUnits<T>& units, int64_t bins, double* edges,
                      const ConstantCounters& constant, cudaStream_t stream);

// codes (count x samples): 0 for zeros, else 1 + the number of edges that a value reaches. unknown
// (count), zeros before, becomes 1 where a unit has a NaN.
template <class T>
cudaError_t unit_codes(const T* values, int64_t count, int64_t samples, const double* edges,
                       int64_t bins, uint8_t* codes, int64_t* unknown, cudaStream_t stream);

}  // namespace likewise::cuda

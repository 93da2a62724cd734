#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// Where the samples of items side by side are measured from, and in what: u = (x - shift) / unit.
// Sums of products of u lose the square of the distance between shift and mean, in deviations;
// units, powers of two and one per item, keep them from overflow.

namespace likewise::cuda {

struct Frame {
  const double* shift;  // one per column of all items, in units of the data
  const double* unit;   // one per item
};

constexpr double kLeastUnit = 0x1p-1000;  // of items that have shown no deviation

// A frame whose units have grown, and what they were in these units.
struct GrownFrame {
  Frame frame;
  const double* ratio;
};

// out (cols) = means of columns, exact for those of equal values.
template <class T>
void column_means(const T* x, int64_t rows, int64_t cols, double* out, cudaStream_t stream);

// The unit of one item becomes the least power of two above what it is and all that x (rows x cols)
// deviates from the shift; ratio: what it was in the new one. `deviations` (cols) is work.
struct UnitGrowth {
  const double* shift;
  double *deviations, *unit, *ratio;
};
template <class T>
void grow_unit(const T* x, int64_t rows, int64_t cols, const UnitGrowth& growth,
               cudaStream_t stream);

// Items of one side of sums: columns [starts[k], starts[k + 1]) of the augmented data.
struct SumsSide {
  const int32_t* starts;
  int64_t count;
};

// out (width) = what the columns of sums are multiplied by when the units of their items grow: 1,
// the squares of the ratios, the ratio of each column's item.
void growth_of(const SumsSide& items, const double* ratio, int64_t width, double* out,
               cudaStream_t stream);

// sums[i, j] *= rows[i] columns[j], those that change alone.
void grow_sums(double* sums, int64_t height, int64_t width, const double* rows,
               const double* columns, cudaStream_t stream);

// out = x / *unit.
template <class T>
void divide_by_unit(const T* x, int64_t size, const double* unit, T* out, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "moments/cuda/centred_sums.h"

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

// From one frame to another: u becomes ratio u + step.
struct FrameChange {
  const double* ratio;  // one per item
  const double* step;   // one per column; null: 0
};

// out (cols) = means of columns, exact for those of equal values.
template <class T>
cudaError_t column_means(const T* x, int64_t rows, int64_t cols, double* out, cudaStream_t stream);

// The unit of one item becomes the least power of two above what it is and all that x (rows x cols)
// deviates from the shift; ratio: what it was in the new one. `deviations` (cols) is work.
struct UnitGrowth {
  const double* shift;
  double *deviations, *unit, *ratio;
};
template <class T>
cudaError_t grow_unit(const T* x, int64_t rows, int64_t cols, const UnitGrowth& growth,
                      cudaStream_t stream);

// Two frames of the same items meet at the shift of the first, in units that hold what was measured
// from either. What becomes of those of the first is 0 for step.
struct FramesMeeting {
  Frame first, second;
  SumsSide items;
  double* unit;                     // of both; may be that of the first
  double *ratio, *ratio_of_second;  // one per item
  double* step_of_second;           // one per column
};
cudaError_t meet_frames(const FramesMeeting& meeting, cudaStream_t stream);

// Sums (A'B, of augmented data) in other frames of the two sides, in place.
struct MovedSide {
  SumsSide items;
  FrameChange change;
};
cudaError_t move_sums(double* sums, int64_t height, int64_t width, const MovedSide& rows,
                      const MovedSide& columns, cudaStream_t stream);

// out = x / *unit.
template <class T>
cudaError_t divide_by_unit(const T* x, int64_t size, const double* unit, T* out,
                           cudaStream_t stream);

// products (rows x cols) *= (by_x[row] by_y[col])^2; null: 1.
cudaError_t scale_products(double* products, int64_t rows, int64_t cols, const double* by_x,
                           const double* by_y, cudaStream_t stream);

}  // namespace likewise::cuda

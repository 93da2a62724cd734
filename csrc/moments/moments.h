#pragma once

#include <cstdint>

#include "core/view.h"

// Sums of products over samples that come in batches. Items stand side by side and are measured as
// u = (x - shift) / unit: sums of products of u lose the square of the distance between shift and
// mean, in deviations; a unit, one per item and a power of two, keeps them from overflow.
// Augmented data of a side are A = [1, |u_1|^2, ..., u_1, ...].

namespace likewise {

constexpr double kLeastUnit = 0x1p-1000;  // of items that have shown no deviation

// The frame of a first batch: shift, means of all columns, exact for those of equal values; unit.
void begin_frame(const Arrays& items, int threads, double* shift, double* unit);

// Units become the least powers of two above what they are and all that the items deviate from the
// shift; ratio: what they were in the new ones.
void grow_units(const Arrays& items, const double* shift, int threads, double* unit, double* ratio);

// outs (contiguous, of their dtype) = items, each divided by its unit.
void divide_by_units(const Arrays& items, const double* unit, int threads, const Arrays& outs);

struct GrownFrame {
  const double *shift, *unit;
  const double* ratio;  // what the units were in these
};

// total (width of A x width of B), which is brought to the units of these frames, += A'B for every
// step-th sample from `first` on, in double. An empty `b` stands for a.
void add_moments(const Arrays& a, const Arrays& b, int64_t first, int64_t step,
                 const GrownFrame& frame_a, const GrownFrame& frame_b, int threads, double* total);

}  // namespace likewise

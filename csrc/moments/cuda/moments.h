#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "moments/cuda/frames.h"

namespace likewise::cuda {

// Every step-th sample of a batch, from `first` on.
struct StridedRows {
  int64_t samples, first, step;

  int64_t count() const { return first < samples ? (samples - first - 1) / step + 1 : 0; }
  StridedRows from(int64_t k) const { return {samples, first + k * step, step}; }
};

// total (1 + a + all columns of a, 1 + b + all columns of b), which is brought to the units of
// these frames, += A'B for the augmented data A = [1, |u_1|^2, ..., u_1, ...] of these samples, in
// double. An empty `b` stands for a.
template <class T>
void add_moments(const Context& context, const std::vector<Matrix<T>>& a,
                 const std::vector<Matrix<T>>& b, const StridedRows& rows,
                 const GrownFrame& frame_a, const GrownFrame& frame_b, double* total);

// The frame of a first batch: unit and shift of its items, side by side.
template <class T>
void begin_frame(const Context& context, const std::vector<Matrix<T>>& items, int64_t samples,
                 double* shift, double* unit);

// Its units after another batch, and what they were in these (one per item).
template <class T>
void grow_units(const Context& context, const std::vector<Matrix<T>>& items, int64_t samples,
                const double* shift, double* unit, double* ratio);

}  // namespace likewise::cuda

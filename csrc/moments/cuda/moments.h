#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"

namespace likewise::cuda {

// Every step-th sample of a batch, from `first` on.
struct StridedRows {
  int64_t samples, first, step;

  int64_t count() const { return first < samples ? (samples - first - 1) / step + 1 : 0; }
  StridedRows from(int64_t k) const { return {samples, first + k * step, step}; }
};

// total (1 + a + all columns of a, 1 + b + all columns of b) += A'B for the augmented data A = [1,
// |x_1|^2, ..., x_1, ...] of these samples, in double. An empty `b` stands for a.
template <class T>
void add_moments(const Context& context, const std::vector<Matrix<T>>& a,
                 const std::vector<Matrix<T>>& b, const StridedRows& rows, double* total);

}  // namespace likewise::cuda

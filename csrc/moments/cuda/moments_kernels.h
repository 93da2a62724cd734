#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "moments/cuda/moments.h"

namespace likewise::cuda {

// Column 0 (ones), column 1 + `number` (squared norms of the samples u of x, which has `cols`
// columns) and the columns from `start` on (u) of augmented data with `width` columns, in double,
// for `count` samples from rows.first on. `frame` is that of x alone.
template <class T>
void augment(const T* x, int64_t cols, const StridedRows& rows, int64_t count, const Frame& frame,
             int64_t number, int64_t start, int64_t width, double* out, cudaStream_t stream);

}  // namespace likewise::cuda

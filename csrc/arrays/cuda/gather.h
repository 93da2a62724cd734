#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/matrix.h"

namespace likewise::cuda {

// out[i, k] = x[i, order[k]]: these `count` rows of every item, which has `rows` of them.
template <class T>
void gather_rows(const Batch<T>& x, int64_t rows, const int32_t* order, int64_t count, T* out,
                 cudaStream_t stream);

}  // namespace likewise::cuda

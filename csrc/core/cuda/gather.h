#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// out[k] = row rows[k] of x, whose rows have `cols` elements.
template <class T>
cudaError_t gather_rows(const T* x, int64_t cols, const int32_t* rows, int64_t count, T* out,
                        cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// out (count): means of the rows of x (count x length), summed in double. Less than 2^31 rows.
template <class T>
void row_means(const T* x, int64_t count, int64_t length, T* out, cudaStream_t stream);

// out (count x cols): means of the columns of `count` matrices (rows x cols), summed in double.
template <class T>
void column_means(const T* x, int64_t count, int64_t rows, int64_t cols, T* out,
                  cudaStream_t stream);

}  // namespace likewise::cuda

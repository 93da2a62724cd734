#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// For each of `count` matrices of `size` elements: out = x 2^-exponent, with the largest magnitude
// in [1, 2), so that neither products nor sums overflow or vanish. The exponent is 0 of matrices of
// zeros, and of those that are not finite.
template <class T>
void to_unit_scale(const T* x, int64_t count, int64_t size, T* out, int* exponents,
                   cudaStream_t stream);

// x 2^(e + f) in place, of these exponents of each matrix; `more` may be null.
template <class T>
void from_unit_scale(T* x, int64_t count, int64_t size, const int* exponents, const int* more,
                     cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// For each of `count` matrices of `size` elements: out = x / norm with the Frobenius norm, which is
// written too. Sizes are such that neither overflows; zeros stay zeros. NaN where x is not finite.
template <class T>
void divide_by_norm(const T* x, int64_t count, int64_t size, T* out, double* norm,
                    cudaStream_t stream);

// z += b g + a I, for `count` matrices n x n.
template <class T>
void add_polynomial(T* z, const T* g, int64_t count, int64_t n, T a, T b, cudaStream_t stream);

// flags[k] = 1 where one of `count` matrices n x n is not the unit matrix, up to the rounding of n
// products.
template <class T>
void flag_other_than_unit(const T* grams, int64_t count, int64_t n, int* flags,
                          cudaStream_t stream);

// to = from, for those of `count` matrices of `size` elements that are flagged.
template <class T>
void replace_flagged(const T* from, const int* flags, int64_t count, int64_t size, T* to,
                     cudaStream_t stream);

// x = (x + x') / 2, for `count` matrices n x n.
template <class T>
void symmetrise(T* x, int64_t count, int64_t n, cudaStream_t stream);

// out = scale <p, x> for each of `count` pairs of `size` elements, summed in double.
template <class T>
void inner_products(const T* p, const T* x, const double* scale, int64_t count, int64_t size,
                    double* out, cudaStream_t stream);

}  // namespace likewise::cuda

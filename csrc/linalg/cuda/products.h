#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

struct Context;

// Inner products of all rows of a with all of b (`length` entries each), added to `total` (count_a
// x count_b). Parts of 256 entries (4096 in double) are multiplied in T, their sums are taken in
// double, in order.
template <class T>
void add_all_products(const Context& context, const T* a, int64_t count_a, const T* b,
                      int64_t count_b, int64_t length, T* parts, double* total);

// Elements that `parts` has room for.
template <class T>
int64_t product_parts(int64_t count_a, int64_t count_b, int64_t length);

// total[k] += sum over `parts` of products[part * size + k].
template <class T>
void add_products(const T* products, int64_t parts, int64_t size, double* total,
                  cudaStream_t stream);

}  // namespace likewise::cuda

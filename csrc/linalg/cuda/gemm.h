#pragma once

#include <cstdint>

#include "linalg/cuda/libraries.h"

namespace likewise::cuda {

// A batch of row-major matrices: element (i, j) of item k is data[k * step + i * ld + j].
template <class T>
struct Matrices {
  T* data;
  int64_t ld, step;
};

// c = alpha op(a) op(b), c being m x n, for every item of a batch. On the stream of the context.
template <class T>
void gemm(BlasContext* context, BlasOp op_a, BlasOp op_b, int64_t m, int64_t n, int64_t k, T alpha,
          const Matrices<const T>& a, const Matrices<const T>& b, const Matrices<T>& c,
          int64_t count);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "linalg/cuda/jacobi.h"

// Functions of the singular value decomposition of `count` matrices (rows x cols, contiguous), none
// of them empty. Matrices without one (see jacobi_svd) give NaN, and are told to the status.

namespace likewise::cuda {

// A = U S V'. The vectors of `columns`, as many as min(rows, cols), are those of the longer side: U
// for tall matrices, V for wide ones; `right` has those of the shorter. In temporary memory.
template <class T>
JacobiSvd<T> decompose(const Context& context, const T* a, int64_t count, int64_t rows,
                       int64_t cols);

// out (count, min(rows, cols)), descending. In float32 those of large matrices are exact to its
// precision, in units of the largest.
template <class T>
void svdvals(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols, T* out);

// u (count, rows, cols) with orthonormal columns or rows, p (count, cols, cols), A = U P.
template <class T>
void polar(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols, T* u,
           T* p);

// r (count, d, d), orthogonal, with the least |A R - B|, and scale (count), the nuclear norm of
// A'B, for a and b (count, rows, d).
template <class T>
void orthogonal_procrustes(const Context& context, const T* a, const T* b, int64_t count,
                           int64_t rows, int64_t d, T* r, T* scale);

}  // namespace likewise::cuda

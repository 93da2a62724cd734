#pragma once

#include "core/cuda/context.h"
#include "core/cuda/elements.h"

// Singular values and vectors by the eigenvalues of Gram matrices in float64. Matrices are given by
// their `columns` (count, n, m) of type T, n <= m, in any layout. All need has_eigen(n).

namespace likewise::cuda {

// values (count, n): singular values, descending. Their error is about 1e-8 of the largest one: the
// precision of float32. Matrices without a decomposition are NaN, and told to the status.
template <class T>
void gram_svdvals(const Context& context, const DeviceRef& columns, T* values);

// turned (count, n, m) = V times the columns, V the eigenvectors of their Gram matrix in the rows
// of basis (count, n, n): columns that are nearly orthogonal, for one-sided rotations to finish.
// They are as they were where there are no eigenvectors.
template <class T>
void turn_to_axes(const Context& context, const DeviceRef& columns, T* turned, T* basis);

}  // namespace likewise::cuda

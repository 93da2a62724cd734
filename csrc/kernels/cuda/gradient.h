#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "kernels/kernels.h"

namespace likewise::cuda {

// Gradients of the scores of x[k] with y[k] (kernel_pairs) for `count` pairs, as the CPU's
// kernel_gradients has them, into grad_x (count x rows x x.cols) and grad_y; null: not wanted.
//
// Pairs are taken one by one: two products with all features and up to four n x n matrices in
// double per side.
template <class T>
void kernel_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                      int64_t rows, const KernelOptions& options, T* grad_x, T* grad_y);

}  // namespace likewise::cuda

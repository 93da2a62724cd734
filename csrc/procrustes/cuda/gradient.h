#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda {

// Gradients of the scores of x[k] with y[k] for `count` pairs, as the CPU's procrustes_gradients
// has them, into grad_x (count x rows x x.cols) and grad_y; null: not wanted. Matrices whose
// decomposition fails are told to the status, and have NaN.
//
// Pairs are taken one by one, in double. The product of both is decomposed, and an item with more
// units than samples, or whose spectrum alpha changes.
template <class T>
void procrustes_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y,
                          int64_t count, int64_t rows, const ProcrustesOptions& options, T* grad_x,
                          T* grad_y);

}  // namespace likewise::cuda

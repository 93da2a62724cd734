#pragma once

#include "core/view.h"
#include "kernels/kernels.h"

namespace likewise {

// kernel_pairs with its gradients by every entry of x and of y, into grad_x and grad_y, contiguous;
// null: not wanted. Of a median bandwidth too: by the two samples, or two pairs of them, in the
// middle. NaN where the score is NaN.
// Some n x n matrices in double per item and thread are the working memory.
template <class T>
void kernel_gradients(const MatrixBatch<const T>& x, const MatrixBatch<const T>& y,
                      const KernelOptions& options, int threads, double* scores,
                      const KernelCounts& counts, T* grad_x, T* grad_y);

}  // namespace likewise

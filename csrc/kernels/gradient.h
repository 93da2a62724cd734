#pragma once

#include <vector>

#include "core/view.h"
#include "kernels/kernels.h"

namespace likewise {

// kernel_scores_paired with its gradients by every entry of x[p] and of y[p], into grad_x[p] and
// grad_y[p], row-major and contiguous; null: not wanted. Of a median bandwidth too: by the two
// samples, or two pairs of them, in the middle. NaN where the score is NaN.
// Some n x n matrices in double per item and thread are the working memory.
template <class T>
void kernel_gradients(const std::vector<MatrixRef<const T>>& x,
                      const std::vector<MatrixRef<const T>>& y, const KernelOptions& options,
                      int threads, double* scores, int32_t* status, int64_t* constant_units,
                      const std::vector<T*>& grad_x, const std::vector<T*>& grad_y);

}  // namespace likewise

#pragma once

#include "core/view.h"
#include "rsa/scores.h"

namespace likewise {

// rsa_pairs with gradients by every entry of x and y (equal batch axes), contiguous; null: not
// wanted. Of comparisons by inner products of entries or second moments. NaN where the score is;
// samples without direction, and equal ones under the euclidean distance, have none: 0.
template <class T>
void rsa_gradients(const MatrixBatch<const T>& x, const MatrixBatch<const T>& y,
                   const RsaOptions& options, int threads, double* scores, const RsaCounts& counts,
                   T* grad_x, T* grad_y);

}  // namespace likewise

#pragma once

#include "core/view.h"
#include "procrustes/procrustes.h"

namespace likewise {

// procrustes_pairs with its gradients by every entry of x and y (equal batch axes), into grad_x and
// grad_y, contiguous and of the same shapes; null: not wanted. Computed in double.
// Where singular values vanish (fewer directions than units) the gradient is the one along the
// directions that there are; at congruence, where distances have none, it is 0. NaN where the score
// is. Throws ConvergenceError naming the items whose SVD failed.
void procrustes_gradients(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                          int threads, double* scores, const ShapeCounts& counts,
                          const ArrayRef* grad_x, const ArrayRef* grad_y);

}  // namespace likewise

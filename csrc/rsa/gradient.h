#pragma once

#include <vector>

#include "core/view.h"
#include "rsa/dissimilarity.h"

namespace likewise {

// out (x.rows x x.cols) = sum over pairs i < j of weights_ij times the gradient by x of the
// dissimilarity of samples i and j in units of the item (see Unit); weights as the condensed RDM.
// In double until it is rounded to T. Samples without direction, and equal ones under the euclidean
// distance, have none: 0.
template <class T>
void rdm_gradient(const MatrixRef<const T>& x, Dissimilarity dissimilarity, const double* weights,
                  int threads, T* out);

}  // namespace likewise

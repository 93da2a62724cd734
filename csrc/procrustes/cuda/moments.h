#pragma once

#include "core/cuda/context.h"
#include "moments/cuda/sums.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda {

// Procrustes and shape scores of all pairs of items, row-major, from sums over samples: nuclear
// norms of W'X'YV, where W and V reshape the singular values of X and Y.
void procrustes_scores_of_moments(const Context& context, const Sums& sums,
                                  const ProcrustesOptions& options, double* scores,
                                  const SumsFindings& findings);

}  // namespace likewise::cuda

#pragma once

#include "core/cuda/context.h"
#include "moments/cuda/sums.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda {

// Procrustes and shape scores of all pairs of items, row-major, from sums over samples: nuclear
// norms of W'X'YV, where W and V reshape the singular values of X and Y. dropped: of every item of
// a, then of b if it is another list, as in ShapeFindings; untouched for alpha = 1.
void procrustes_scores_of_moments(const Context& context, const Sums& sums,
                                  const ProcrustesOptions& options, double* scores,
                                  const SumsFindings& findings, int64_t* dropped);

}  // namespace likewise::cuda

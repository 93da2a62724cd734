#pragma once

#include "cca/cuda/cca.h"
#include "core/cuda/context.h"
#include "moments/cuda/sums.h"

namespace likewise::cuda {

// Means of canonical correlations of all pairs of items, row-major, from sums over samples:
// singular values of W'X'YV with W'X'XW = I, or less with a ridge. dropped:
// of every item of a, then of b if it is another list, as in CanonicalFindings.
void cca_scores_of_moments(const Context& context, const Sums& sums,
                           const CanonicalOptions& options, double* scores,
                           const SumsFindings& findings, int64_t* dropped);

}  // namespace likewise::cuda

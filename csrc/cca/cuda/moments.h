#pragma once

#include "cca/cuda/cca.h"
#include "core/cuda/context.h"
#include "moments/cuda/sums.h"

namespace likewise::cuda {

// Means of canonical correlations of all pairs of items, row-major, from sums over samples:
// singular values of W'X'YV with W'X'XW = I, or less with a ridge. options.epsilon is not used.
void cca_scores_of_moments(const Context& context, const Sums& sums,
                           const CanonicalOptions& options, double* scores,
                           const SumsFindings& findings);

}  // namespace likewise::cuda

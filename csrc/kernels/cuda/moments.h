#pragma once

#include "core/cuda/context.h"
#include "moments/cuda/sums.h"

namespace likewise::cuda {

// HSIC of the linear kernel or, with `normalise`, CKA of all pairs of items, row-major, from sums
// over samples.
void kernel_scores_of_moments(const Context& context, const Sums& sums, bool unbiased,
                              bool normalise, double* scores, const SumsFindings& findings);

}  // namespace likewise::cuda

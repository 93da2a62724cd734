#pragma once

#include <vector>

#include "core/cuda/context.h"
#include "moments/cuda/sums.h"

namespace likewise::cuda {

// Linear predictivity (rows predict columns) of all pairs of items, row-major, from the sums over
// the samples of every fold. With `relative`, alphas are in units of the mean of the nonzero
// eigenvalues. Findings are those of all folds together.
void ridge_scores_of_moments(const Context& context, const std::vector<Sums>& folds,
                             const std::vector<double>& alphas, bool relative, double* scores,
                             const SumsFindings& findings);

}  // namespace likewise::cuda

#pragma once

#include <vector>

#include "procrustes/prepare.h"
#include "regression/ridge.h"

// Representations as RidgeProblem wants them, always in double: penalties reach to where float has
// no digits left.

namespace likewise {

// To predict from: of unit norm, its rows by folds, replaced by its root where that is smaller.
struct RidgeSource {
  PreparedShape<double> shape;
  std::vector<double> alphas;     // in the data's own units
  std::vector<double> penalties;  // the same in units of the squared norm
};

// To be predicted: rows by folds, columns times powers of two that bring them near 1.
struct RidgeTarget {
  std::vector<double> data;
  std::vector<int> exponents;  // of these powers
  int64_t cols = 0, constant_units = 0;

  bool is_constant() const { return constant_units == cols; }
};

template <class T>
std::vector<RidgeSource> ridge_sources(const std::vector<MatrixRef<const T>>& items,
                                       const RidgeOptions& options, int threads);
template <class T>
std::vector<RidgeTarget> ridge_targets(const std::vector<MatrixRef<const T>>& items,
                                       const RidgeOptions& options, int threads);

// Without pairs.
RidgeProblem ridge_problem(const std::vector<RidgeSource>& sources,
                           const std::vector<RidgeTarget>& targets, const RidgeOptions& options);

}  // namespace likewise

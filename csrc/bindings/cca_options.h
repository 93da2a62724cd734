#pragma once

#include <tuple>

#include "cca/options.h"

namespace likewise::bindings {

// As the Python measures give them: regularization, variance, weighted.
using CanonicalTuple = std::tuple<double, double, bool>;

inline CanonicalOptions canonical_options(const CanonicalTuple& given) {
  const auto& [regularization, variance, weighted] = given;
  return {regularization, variance, weighted};
}

}  // namespace likewise::bindings

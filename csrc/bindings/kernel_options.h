#pragma once

#include <pybind11/stl.h>

#include <string>
#include <tuple>

#include "core/error.h"
#include "kernels/kernels.h"

namespace likewise::bindings {

// As the Python measures give them.
using KernelTuple =
    std::tuple<std::string, std::string, bool, double, bool, int64_t, double, double>;

inline KernelOptions kernel_options(const KernelTuple& options) {
  const auto& [function, estimator, normalize, bandwidth, median, degree, coef0, gamma] = options;
  KernelOptions out;
  if (function == "rbf") {
    out.function = KernelFunction::rbf;
  } else if (function == "polynomial") {
    out.function = KernelFunction::polynomial;
  } else if (function != "linear") {
    throw InternalError("unknown kernel " + function);
  }
  out.estimator = estimator == "unbiased" ? HsicEstimator::unbiased : HsicEstimator::biased;
  out.normalize = normalize;
  out.bandwidth = bandwidth;
  out.median = median;
  out.degree = degree;
  out.coef0 = coef0;
  out.gamma = gamma;
  return out;
}

}  // namespace likewise::bindings

#pragma once

#include <limits>

#include "kernels/cuda/gram.h"
#include "kernels/kernels.h"

namespace likewise::cuda {

inline GramOptions gram_options(const KernelOptions& options) {
  const GramFunction function = options.function == KernelFunction::linear ? GramFunction::linear
                                : options.function == KernelFunction::rbf
                                    ? GramFunction::rbf
                                    : GramFunction::polynomial;
  return {function,          options.estimator == HsicEstimator::unbiased,
          options.normalize, options.function == KernelFunction::rbf && options.median,
          options.bandwidth, options.coef0,
          options.gamma,     options.degree};
}

// An HSIC below this share of its terms is rounding of them.
template <class T>
constexpr double kernel_rounding() {
  return 64 * double(std::numeric_limits<T>::epsilon());
}

template <class T>
constexpr double largest_number() {
  return double(std::numeric_limits<T>::max());
}

}  // namespace likewise::cuda

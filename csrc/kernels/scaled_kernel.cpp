#include "kernels/scaled_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/rbf_range.h"

namespace likewise {
namespace {

constexpr int64_t kNothing = std::numeric_limits<int64_t>::min();  // the exponent of zero

}  // namespace

double ScaledKernel::diagonal(double norm) const {
  return value(function == KernelFunction::rbf ? 0 : norm);
}

double ScaledKernel::value(double argument, double* slope) const {
  if (function == KernelFunction::linear) {
    if (slope) *slope = 1;
    return argument;
  }
  if (function == KernelFunction::rbf) {
    const double exponent = -gamma * argument, power = std::exp(exponent);
    if (slope) *slope = -gamma * power;
    if (shift == -1) return power;
    return (exponent > -0.5 ? std::expm1(exponent) : power - 1) - shift;
  }
  const double base = gamma * argument + coef0, other = gamma * origin + coef0;
  double sum = 1, power = 1, of_base = 1;
  for (int64_t k = 1; k < degree; ++k) {
    power *= other;
    of_base *= base;
    sum = sum * base + power;
  }
  if (slope) *slope = double(degree) * factor * of_base;
  return (argument - origin) * factor * sum;
}

// The constant is the kernel at the mean squared distance or mean inner product of two samples; of
// rbf none where that is nearly 0, as most values then are, whose digits 1 would take.
template <class T>
ScaledKernel scaled_kernel(const KernelItem<T>& item, const KernelOptions& options) {
  const double n = double(item.x.rows);
  const double norms = std::accumulate(item.norms, item.norms + item.x.rows, 0.0);
  const int64_t scale = -2 * int64_t(std::ilogb(item.scale));  // of products
  const double largest_norm = *std::max_element(item.norms, item.norms + item.x.rows);
  ScaledKernel kernel{options.function};
  if (options.function == KernelFunction::linear) {
    kernel.exponent = scale;
    return kernel;
  }
  if (options.function == KernelFunction::rbf) {
    if (item.sigma > 0) {
      const int unit = std::ilogb(item.sigma);
      const double sigma = std::ldexp(item.sigma, -unit);
      kernel.gamma = 1 / (2 * sigma * sigma);
      // Samples much nearer than the bandwidth: exp(-t) - 1 is -t, in units that squares have.
      const int64_t largest = int64_t(std::ilogb(4 * largest_norm)) - 2 * unit;
      if (largest_norm > 0 && largest < kLinear) kernel.exponent = largest - kLinear;
      const int64_t exponent =
          std::clamp<int64_t>(-2 * int64_t(unit) - kernel.exponent, -1000, 1000);
      kernel.gamma = std::ldexp(kernel.gamma, int(exponent));
    }
    kernel.shift = std::expm1(-kernel.gamma * 2 * norms / (n - 1));
    if (kernel.shift < kFar) kernel.shift = -1;
    return kernel;
  }
  const double gamma = options.gamma > 0 ? options.gamma : 1 / double(item.x.cols);
  // 2^unit is beyond gamma |a|^2 + |coef0| of all samples.
  int64_t unit = options.coef0 != 0 ? int64_t(std::ilogb(options.coef0)) + 1 : kNothing;
  if (largest_norm > 0) {
    unit = std::max(unit, scale + std::ilogb(gamma) + std::ilogb(largest_norm) + 2);
  }
  unit = unit == kNothing ? 0 : unit + 1;
  kernel.gamma = std::ldexp(gamma, int(scale - unit));
  kernel.coef0 = std::ldexp(options.coef0, int(-unit));
  kernel.origin = -norms / (n * (n - 1));
  kernel.degree = options.degree;
  kernel.factor = std::ldexp(gamma, -std::ilogb(gamma));  // gamma itself may be too small for T
  kernel.exponent = (options.degree - 1) * unit + scale + std::ilogb(gamma);
  return kernel;
}

template ScaledKernel scaled_kernel<float>(const KernelItem<float>&, const KernelOptions&);
template ScaledKernel scaled_kernel<double>(const KernelItem<double>&, const KernelOptions&);

}  // namespace likewise

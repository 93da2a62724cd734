#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/prepared.h"

namespace likewise {

// The kernel of scaled samples, in units of 2^exponent in which values neither overflow nor vanish,
// and less a constant: HSIC does not change with it, and sums of products lose no digits to a
// common mean.
//   linear      a'b
//   rbf         exp(-gamma |a - b|^2) - 1 - shift, with -1 for shift the kernel itself
//   polynomial  [(gamma a'b + coef0)^degree - (gamma origin + coef0)^degree] factor / gamma
struct ScaledKernel {
  KernelFunction function = KernelFunction::linear;
  double gamma = 0, shift = 0, coef0 = 0, origin = 0, factor = 1;
  int64_t degree = 1;
  int64_t exponent = 0;

  // Of the diagonal: of a sample of this squared norm with itself.
  double diagonal(double norm) const;
  // Of two samples with this inner product (linear, polynomial) or squared distance (rbf), and
  // where it is asked for the derivative by it.
  double value(double argument, double* slope = nullptr) const;
};

// HSIC in units of 2^exponent as a number of T: infinite beyond these, `overflow` says so.
template <class T>
double in_units(double hsic, int64_t exponent, bool& overflow) {
  const double value = std::ldexp(hsic, int(exponent));
  overflow = std::abs(value) > double(std::numeric_limits<T>::max());
  return overflow ? std::copysign(std::numeric_limits<double>::infinity(), value) : value;
}

template <class T>
ScaledKernel scaled_kernel(const KernelItem<T>& item, const KernelOptions& options);

}  // namespace likewise

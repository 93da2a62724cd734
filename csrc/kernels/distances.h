#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/prepared.h"
#include "linalg/cpu/differences.h"

// Squared distances of samples are norms less products, |a|^2 + |b|^2 - 2 a'b, and have lost digits
// where they are small beside the norms: there they are computed from the difference.

namespace likewise {

// Below this share of the norms, for distances that are wanted as such.
constexpr double kSmallDistance = 1e-2;

// Of the scaled samples p and q.
template <class T>
double squared_distance(const KernelItem<T>& item, int64_t p, int64_t q, std::vector<T>& buffer) {
  const MatrixRef<const T>& x = item.x;
  if (x.rows_contiguous()) return squared_difference(&x(p, 0), &x(q, 0), x.cols, item.scale);
  buffer.resize(size_t(2 * x.cols));
  for (int64_t j = 0; j < x.cols; ++j) {
    buffer[j] = x(p, j);
    buffer[x.cols + j] = x(q, j);
  }
  return squared_difference(buffer.data(), buffer.data() + x.cols, x.cols, item.scale);
}

// Distances D from products in T are off by some units in the last place of the norms. Of
// exp(-gamma D) that is more than some ten units where gamma times the norms is large and D is not:
// for D that come out below this.
template <class T>
double least_safe_distance(double gamma, double norms) {
  constexpr double kHarmless = 8, kUnits = 64;
  if (gamma * norms <= kHarmless) return 0;
  const double error = kUnits * double(std::numeric_limits<T>::epsilon()) * norms;
  return std::log(gamma * norms / kHarmless) / gamma + error;
}

}  // namespace likewise

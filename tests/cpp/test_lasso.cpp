#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "naive.h"
#include "regression/lasso.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// The optimality conditions of every fit: X'(y - Xw) is the penalty times the sign where w is not
// zero, and no larger elsewhere. 150 units: more than the working set has room for at first.
void is_optimal(int64_t n, int64_t units, double tolerance) {
  const int64_t targets = 5;
  const Matrix noise = random_matrix(n, targets, 2), mixing = random_matrix(units, targets, 3);
  Matrix x = random_matrix(n, units, 1), y(n, targets);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < units; ++j) x(i, j) *= double(1 + j % 5);
  }
  const Matrix mixed = product(x, mixing);
  for (size_t k = 0; k < y.data.size(); ++k) y.data[k] = mixed.data[k] + noise.data[k];
  std::vector<double> xs = x.padded<double>(units), ys = y.padded<double>(targets);
  LassoOptions options{1.0 / double(n), 1e-9, {1.0, 0.1, 0.01}};
  std::vector<double> w(3 * 5 * size_t(units)), objective(15), gap(15), loss(15), r(15);
  const LassoPath path{w.data(), objective.data(), gap.data(), loss.data(), r.data()};
  const int64_t open =
      lasso_path(array_of(xs, {n, units}), array_of(ys, {n, targets}), options, path, 2);
  CHECK(open == 0);
  for (int64_t a = 0; a < 3; ++a) {
    const double penalty = options.penalties[size_t(a)];
    for (int64_t t = 0; t < targets; ++t) {
      const double* weights = &w[size_t((a * targets + t) * units)];
      std::vector<double> residual(static_cast<size_t>(n));
      double squares = 0, size = 0;
      for (int64_t i = 0; i < n; ++i) {
        residual[i] = y(i, t);
        for (int64_t j = 0; j < units; ++j) residual[i] -= x(i, j) * weights[j];
        squares += residual[i] * residual[i];
      }
      for (int64_t j = 0; j < units; ++j) {
        double slope = 0;
        for (int64_t i = 0; i < n; ++i) slope += x(i, j) * residual[i] / double(n);
        size += std::abs(weights[j]);
        if (weights[j] != 0) {
          CHECK_NEAR(slope, std::copysign(penalty, weights[j]), tolerance);
        } else {
          CHECK(std::abs(slope) <= penalty + tolerance);
        }
      }
      const size_t at = size_t(a * targets + t);
      CHECK_NEAR(loss[at], squares / double(2 * n), tolerance);
      CHECK_NEAR(objective[at], squares / double(2 * n) + penalty * size, tolerance);
      CHECK(gap[at] >= 0 && gap[at] < 1e-6);
    }
  }
}

TEST(fits_are_optimal) {
  is_optimal(300, 7, 1e-4);
  is_optimal(400, 150, 1e-4);
}

TEST(what_is_not_finite_stays_so) {
  std::vector<double> x{1, 2, 3, -1, 0, 1, 2, -3}, y{1, 2, 0.0 / 0.0, 1, 3, 1, 0, 0};
  std::vector<double> w(4), objective(2), gap(2), loss(2), r(2);
  const LassoPath path{w.data(), objective.data(), gap.data(), loss.data(), r.data()};
  lasso_path(array_of(x, {4, 2}), array_of(y, {4, 2}), {1, 1e-9, {0.1}}, path, 1);
  CHECK(std::isnan(w[0]) && std::isnan(objective[0]) && std::isnan(r[0]));
  CHECK(std::isfinite(w[2]) && std::isfinite(objective[1]));
  x[1] = 1.0 / 0.0;
  lasso_path(array_of(x, {4, 2}), array_of(y, {4, 2}), {1, 1e-9, {0.1}}, path, 1);
  CHECK(std::isnan(w[2]) && std::isnan(gap[1]));
}

}  // namespace

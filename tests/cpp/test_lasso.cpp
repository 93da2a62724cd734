#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "naive.h"
#include "regression/lasso.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// The gap certifies the objective, which is that of the weights; 150 units are more than the
// working set has room for at first.
TEST(fits_are_optimal) {
  for (const int64_t units : {7, 150}) {
    const int64_t n = 300, targets = 5;
    Matrix x = random_matrix(n, units, 1);
    for (size_t k = 0; k < x.data.size(); ++k) x.data[k] *= double(1 + k % 5);
    Matrix y = product(x, random_matrix(units, targets, 3));
    const Matrix noise = random_matrix(n, targets, 2);
    for (size_t k = 0; k < y.data.size(); ++k) y.data[k] += noise.data[k];
    const LassoOptions options{1.0 / double(n), 1e-9, {1.0, 0.1, 0.01}};
    std::vector<double> w(15 * size_t(units)), objective(15), gap(15), loss(15), r(15);
    const LassoPath path{w.data(), objective.data(), gap.data(), loss.data(), r.data()};
    CHECK(lasso_path(array_of(x.data, {n, units}), array_of(y.data, {n, targets}), options, path,
                     2) == 0);
    for (int64_t fit = 0; fit < 15; ++fit) {
      const int64_t t = fit % targets;
      Matrix weights(units, 1);
      std::copy_n(&w[size_t(fit * units)], units, weights.data.begin());
      const Matrix predicted = product(x, weights);
      double squares = 0, size = 0;
      for (int64_t i = 0; i < n; ++i) squares += std::pow(y(i, t) - predicted(i, 0), 2);
      for (const double weight : weights.data) size += std::abs(weight);
      const double penalty = options.penalties[size_t(fit / targets)];
      CHECK_NEAR(loss[size_t(fit)], squares / double(2 * n), 1e-9);
      CHECK_NEAR(objective[size_t(fit)], loss[size_t(fit)] + penalty * size, 1e-9);
      CHECK(gap[size_t(fit)] >= 0 && gap[size_t(fit)] < 1e-6);
    }
  }
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

// Held-out folds too.
TEST(paths_of_batches) {
  const int64_t n = 24, units = 6, targets = 2;
  Matrix x = random_matrix(2 * n, units, 1), y(2 * n, targets);
  for (int64_t i = 0; i < 2 * n; ++i) y(i, 0) = y(i, 1) = x(i, 2) - x(i, 4);
  LassoPathsOptions options{{}, 3, {0.1, 0.01}, 1e-10};
  for (int64_t i = 0; i < n; ++i) options.order.push_back(int32_t(i));
  std::vector<double> score(4), alphas(4), r(8), loss(8), used(8), w(48), objective(8), gap(8);
  std::vector<int64_t> constant(4), missed(16);
  lasso_paths(array_of(x.data, {2, n, units}), array_of(y.data, {2, n, targets}), options, 2,
              {score.data(), alphas.data(), r.data(), loss.data(), used.data(), w.data(),
               objective.data(), gap.data(), constant.data(), missed.data()});
  CHECK(score[1] > 0.99 && score[3] > 0.99 && used[2] >= 2);
  CHECK(missed[0] == 0 && constant[0] == 0 && alphas[1] == 0.01);
}

}  // namespace

#include <cmath>
#include <vector>

#include "check.h"
#include "naive.h"
#include "regression/ridge.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// Columns minus their means.
Matrix centred(Matrix m) {
  for (int64_t j = 0; j < m.cols; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < m.rows; ++i) sum += m(i, j);
    for (int64_t i = 0; i < m.rows; ++i) m(i, j) -= sum / double(m.rows);
  }
  return m;
}

struct Case {
  std::vector<double> x, y;
  RidgeProblem problem;

  Case(int64_t n, int64_t dx, int64_t dy, bool intercept) {
    x = centred(random_matrix(n, dx, 1)).padded<double>(dx);
    y = centred(random_matrix(n, dy, 2)).padded<double>(dy);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < dy; ++j) y[i * dy + j] += x[i * dx + j % dx];
    }
    problem.sources = {{x.data(), dx}};
    problem.targets = {{y.data(), dy}};
    problem.penalties = {{0.1, 3.0}};
    problem.pairs = {{0, 0}};
    problem.folds = {{0, n / 4, n / 2, n}, intercept};
  }
};

// Gradient descent on the training rows, then the mean squared error on the others.
double slow_error(const Case& c, int64_t fold, int64_t target, double penalty) {
  const auto& folds = c.problem.folds;
  const int64_t n = folds.rows(), d = c.problem.sources[0].cols, dy = c.problem.targets[0].cols;
  std::vector<double> w(size_t(d + 1), 0.0), gradient(size_t(d + 1));
  for (int step = 0; step < 20000; ++step) {
    for (int64_t j = 0; j < d; ++j) gradient[j] = penalty * w[j];
    gradient[d] = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (i >= folds.edges[fold] && i < folds.edges[fold + 1]) continue;
      double residual = w[d] - c.y[i * dy + target];
      for (int64_t j = 0; j < d; ++j) residual += w[j] * c.x[i * d + j];
      for (int64_t j = 0; j < d; ++j) gradient[j] += residual * c.x[i * d + j];
      gradient[d] += residual;
    }
    for (int64_t j = 0; j <= d; ++j) w[j] -= gradient[j] / double(2 * n);
  }
  double error = 0;
  for (int64_t i = folds.edges[fold]; i < folds.edges[fold + 1]; ++i) {
    double residual = w[d] - c.y[i * dy + target];
    for (int64_t j = 0; j < d; ++j) residual += w[j] * c.x[i * d + j];
    error += residual * residual / double(folds.size(fold));
  }
  return error;
}

TEST(errors_are_those_of_gradient_descent) {
  const Case c(48, 3, 5, true);
  std::vector<double> errors(2 * 5);
  ridge_errors(c.problem, 2, {errors.data()});
  for (int64_t a = 0; a < 2; ++a) {
    for (int64_t t = 0; t < 5; ++t) {
      double expected = 0;
      for (int64_t f = 0; f < 3; ++f) {
        expected += slow_error(c, f, t, c.problem.penalties[0][a]) / 3;
      }
      CHECK_NEAR(errors[a * 5 + t], expected, 1e-9);
    }
  }
}

TEST(pairs_share_sources) {
  Case c(60, 7, 600, true);  // two blocks of targets
  c.problem.targets.push_back({c.y.data(), 100});
  c.problem.pairs = {{0, 1}, {0, 0}};
  c.problem.targets[1].data = c.x.data();
  c.problem.targets[1].cols = 7;
  std::vector<double> r(3 * 600), r2(3 * 600), own(3 * 7), own2(3 * 7);
  std::vector<int32_t> choice(3 * 600), own_choice(3 * 7);
  ridge_predictivity(
      c.problem, 2,
      {{own.data(), own2.data(), own_choice.data()}, {r.data(), r2.data(), choice.data()}});
  for (size_t k = 0; k < own.size(); ++k) {
    CHECK(own[k] > 0.99 && own_choice[k] == 0);
    CHECK(own2[k] <= own[k]);
  }
  // Predicting more targets at once changes nothing.
  Case one(60, 7, 600, true);
  std::vector<double> again(3 * 600), again2(3 * 600);
  std::vector<int32_t> choice2(3 * 600);
  ridge_predictivity(one.problem, 1, {{again.data(), again2.data(), choice2.data()}});
  for (size_t k = 0; k < r.size(); ++k) {
    CHECK_NEAR(r[k], again[k], 1e-13);
    CHECK_NEAR(r2[k], again2[k], 1e-13);
    CHECK(choice[k] == choice2[k]);
  }
}

TEST(a_source_without_columns_predicts_means) {
  Case c(40, 2, 3, true);
  c.problem.sources[0].cols = 0;
  std::vector<double> errors(2 * 3), r(9), r2(9);
  std::vector<int32_t> choice(9);
  ridge_errors(c.problem, 1, {errors.data()});
  ridge_predictivity(c.problem, 1, {{r.data(), r2.data(), choice.data()}});
  for (int64_t t = 0; t < 3; ++t) CHECK_NEAR(errors[t], errors[3 + t], 0);
  for (const double value : r) CHECK(value == 0);
}

}  // namespace

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

// Of every penalty: those that the gap form gives, of well separated eigenvalues, and others.
TEST(errors_are_those_of_the_chosen_penalties) {
  Case c(48, 3, 5, true);
  std::vector<double> errors(2 * 5), alone(5), r(3 * 5), r2(3 * 5);
  std::vector<int32_t> choice(3 * 5);
  ridge_errors(c.problem, 2, {errors.data()});
  for (size_t a = 0; a < 2; ++a) {
    c.problem.penalties = {{a == 0 ? 0.1 : 3.0}};
    ridge_errors(c.problem, 1, {alone.data()});
    ridge_predictivity(c.problem, 1, {{r.data(), r2.data(), choice.data()}});
    for (size_t t = 0; t < 5; ++t) {
      double expected = 0;  // from 1 - error / variance of each fold
      for (int64_t f = 0; f < 3; ++f) {
        const auto& edges = c.problem.folds.edges;
        const double size = double(c.problem.folds.size(f));
        double mean = 0, squares = 0;
        for (int64_t i = edges[f]; i < edges[f + 1]; ++i) mean += c.y[size_t(i) * 5 + t] / size;
        for (int64_t i = edges[f]; i < edges[f + 1]; ++i) {
          squares += std::pow(c.y[size_t(i) * 5 + t] - mean, 2);
        }
        expected += (1 - r2[size_t(f) * 5 + t]) * squares / size / 3;
      }
      CHECK_NEAR(errors[a * 5 + t], expected, 1e-11);
      CHECK_NEAR(errors[a * 5 + t], alone[t], 1e-12);
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

TEST_BOTH(all_ways_to_a_score_agree) {
  const int64_t n = 30;
  const Items<T> a({random_matrix(n, 4, 1), random_matrix(n, 50, 2), Matrix(n, 3, 0.1)});
  RidgeOptions options{{}, 3, {0.1, 1, 10}, true, true};
  for (int64_t i = 0; i < n; ++i) options.order.push_back(int32_t(i));
  std::vector<double> own(9), both(9);
  std::vector<int64_t> choices(3);
  ridge_scores(a.arrays, {}, options, 2, own.data(), Counted(1, 3), choices.data());
  ridge_scores(a.arrays, a.arrays, options, 1, both.data(), Counted(1, 6), choices.data());
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      const int64_t cols = a.arrays[j].shape[1];
      std::vector<double> r(size_t(3 * cols)), alpha = r, mean_r = r, r2 = r, errors = r;
      std::vector<int64_t> constant(2);
      double score = NAN, alphas[3];
      ridge_pairs(a.arrays[i], a.arrays[j], options, 2,
                  {&score, r.data(), alpha.data(), mean_r.data(), r2.data(), constant.data(),
                   choices.data()});
      ridge_errors(a.arrays[i], a.arrays[j], options, 2, errors.data(), alphas, constant.data());
      CHECK_SAME(own[3 * i + j], both[3 * i + j], 1e-12);
      CHECK_SAME(own[3 * i + j], score, 1e-12);
      CHECK(errors[0] >= 0 && alphas[0] <= alphas[1]);
    }
  }
}

}  // namespace

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "assignment/assignment.h"
#include "assignment/match.h"
#include "check.h"
#include "core/error.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
std::vector<T> values_of(const Matrix& m) {
  return m.padded<T>(m.cols);
}

// Solves one problem, looks at its pairs and its certificate, and returns its cost.
template <class T>
double certified_cost(const MatrixRef<const T>& cost, double sign, const double* row_start,
                      const double* column_start) {
  AssignmentSolver solver;
  CHECK(solver.solve(cost, sign, row_start, column_start) == LapStatus::optimal);
  const int64_t pairs = std::min(cost.rows, cost.cols);
  std::vector<int64_t> rows(pairs), cols(pairs), columns(cost.rows);
  solver.pairs(rows.data(), cols.data());
  solver.columns_of_rows(columns.data());
  CHECK(std::is_sorted(rows.begin(), rows.end()));
  CHECK(cost.rows - std::count(columns.begin(), columns.end(), -1) == pairs);

  std::vector<double> u(cost.rows), v(cost.cols);
  const double gap = solver.certify(u.data(), v.data());
  CHECK(gap >= 0 && gap < 1e-10);
  for (int64_t i = 0; i < cost.rows; ++i) {
    for (int64_t j = 0; j < cost.cols; ++j) {
      CHECK(sign * (double(cost(i, j)) - u[i] - v[j]) >= -1e-12);
    }
  }
  double sum = 0;
  for (int64_t k = 0; k < pairs; ++k) {
    CHECK(columns[rows[k]] == cols[k]);
    sum += double(cost(rows[k], cols[k]));
  }
  CHECK_NEAR(sum, solver.cost(), 1e-10);
  const double bound =
      std::accumulate(u.begin(), u.end(), 0.0) + std::accumulate(v.begin(), v.end(), 0.0);
  CHECK_NEAR(sum, bound, 1e-10);  // no assignment is better
  return sum;
}

// The same numbers in four layouts, cold and from two starts, all with one cost.
template <class T>
void layouts_and_starts_agree(const Matrix& m, double sign) {
  const std::vector<T> dense = values_of<T>(m), turned = values_of<T>(transposed(m)),
                       padded = m.padded<T>(m.cols + 3);
  std::vector<T> spread(size_t(2 * m.rows * m.cols));
  for (size_t k = 0; k < dense.size(); ++k) spread[2 * k] = dense[k];
  const MatrixRef<const T> views[] = {{dense.data(), m.rows, m.cols, m.cols, 1},
                                      {turned.data(), m.rows, m.cols, 1, m.rows},
                                      {padded.data(), m.rows, m.cols, m.cols + 3, 1},
                                      {spread.data(), m.rows, m.cols, 2 * m.cols, 2}};
  const Matrix start = random_matrix(2, m.rows + m.cols, 77);
  std::vector<double> u(m.rows), v(m.cols);
  for (int64_t i = 0; i < m.rows; ++i) u[i] = start(0, i);
  for (int64_t j = 0; j < m.cols; ++j) v[j] = 1e7 * start(1, j);
  const double expected = certified_cost(views[0], sign, nullptr, nullptr);
  for (const auto& view : views) {
    CHECK_NEAR(certified_cost(view, sign, nullptr, nullptr), expected, 1e-9);
    CHECK_NEAR(certified_cost(view, sign, u.data(), v.data()), expected, 1e-9);
  }
}

TEST(every_layout_and_start_has_the_same_optimum) {
  const int64_t shapes[][2] = {{1, 1}, {6, 6}, {20, 33}, {70, 70}, {90, 65}, {64, 200}};
  for (const auto& [rows, cols] : shapes) {
    Matrix m = random_matrix(rows, cols, uint64_t(rows));
    layouts_and_starts_agree<float>(m, 1);
    layouts_and_starts_agree<double>(m, -1);
    for (int64_t i = 0; i < rows; ++i) {  // many ties
      for (int64_t j = 0; j < cols; ++j) m(i, j) = std::round(2 * m(i, j));
    }
    layouts_and_starts_agree<double>(m, 1);
    for (int64_t i = 0; i < rows; ++i) {  // long lists of equals, rows alike
      for (int64_t j = 0; j < cols; ++j) m(i, j) = double(i * j % 97);
    }
    layouts_and_starts_agree<float>(m, -1);
  }
}

TEST(small_problems_match_enumeration) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const int64_t n = 1 + int64_t(seed % 6);
    const Matrix m = random_matrix(n, n, seed);
    std::vector<int64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    double best = kInfinity;
    do {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += m(i, order[i]);
      best = std::min(best, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    const std::vector<double> dense = values_of<double>(m);
    const MatrixRef<const double> view{dense.data(), n, n, n, 1};
    CHECK_NEAR(certified_cost(view, 1, nullptr, nullptr), best, 1e-12);
  }
}

TEST(batches_and_their_bad_items) {
  const int64_t count = 12, n = 40;
  std::vector<double> costs = random_matrix(count * n, n, 5).padded<double>(n);
  ArrayRef array;
  array.data = costs.data();
  array.ndim = 3;
  array.shape = {count, n, n};
  array.strides = {n * n, n, 1};
  std::vector<int64_t> rows(count * n), alone(count * n), together(count * n);
  solve_assignments(array, false, nullptr, nullptr, rows.data(), alone.data(), nullptr, 1);
  solve_assignments(array, false, nullptr, nullptr, rows.data(), together.data(), nullptr, 4);
  CHECK(alone == together);

  costs[size_t(7 * n * n)] = std::nan("");
  std::fill_n(costs.begin() + 9 * n * n, n, kInfinity);
  CHECK_THROWS(InputError, solve_assignments(array, false, nullptr, nullptr, rows.data(),
                                             together.data(), nullptr, 4));
}

TEST(units_match_themselves) {
  const Matrix x = random_matrix(30, 50, 3);
  std::vector<double> values = values_of<double>(x);
  ArrayRef array;
  array.data = values.data();
  array.ndim = 2;
  array.shape = {30, 50};
  array.strides = {50, 1};
  for (const Matching matching : {Matching::permutation, Matching::semi}) {
    double score = 0;
    std::vector<int64_t> assignment(50), constants(2);
    match_pairs(matching, array, array, &score, assignment.data(), constants.data(), 2);
    CHECK_NEAR(score, 1, 1e-12);
    for (int64_t i = 0; i < 50; ++i) CHECK(assignment[i] == i);

    const MatrixRef<const double> view{values.data(), 30, 50, 50, 1};
    std::vector<int64_t> of_items(3);
    const UnitItems<double> items = prepare_units<double>({view, view, view}, 2, of_items.data());
    std::vector<double> scores(9);
    match_scores<double>(matching, items, {}, 30, scores.data(), 3);
    for (const double s : scores) CHECK_NEAR(s, 1, 1e-12);
  }
}

}  // namespace

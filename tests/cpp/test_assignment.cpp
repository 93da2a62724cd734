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
  const std::vector<T> dense = m.padded<T>(m.cols), turned = transposed(m).padded<T>(m.rows),
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
  const int64_t shapes[][2] = {{1, 1}, {6, 6}, {20, 33}, {64, 64}, {70, 70}, {90, 65}, {64, 200}};
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

TEST(batches_and_their_bad_items) {
  const int64_t count = 12, n = 40;
  std::vector<double> costs = random_matrix(count * n, n, 5).data;
  const ArrayRef array = array_of(costs, {count, n, n});
  std::vector<int64_t> rows(count * n), alone(count * n), together(count * n);
  solve_assignments(array, false, nullptr, nullptr, rows.data(), alone.data(), nullptr, 1);
  solve_assignments(array, false, nullptr, nullptr, rows.data(), together.data(), nullptr, 4);
  CHECK(alone == together);

  costs[size_t(7 * n * n)] = std::nan("");
  std::fill_n(costs.begin() + 9 * n * n, n, std::numeric_limits<double>::infinity());
  CHECK_THROWS(InputError, solve_assignments(array, false, nullptr, nullptr, rows.data(),
                                             together.data(), nullptr, 4));
}

TEST_BOTH(all_ways_to_a_score_agree) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const Matrix x = random_matrix(30, 50, 3);
  const Items<T> a({x, random_matrix(30, 20, 4), Matrix(30, 5, 0.1)}), b({x});
  const Ways<T, Matching> ways{
      &match_scores,
      [](const ArrayRef& left, const ArrayRef& right, const Matching& matching, int threads,
         double* scores, const Counts& counts) {
        match_pairs(left, right, matching, threads, scores, counts, nullptr);
      },
      1, tolerance};
  const std::vector<int32_t> orders = two_orders(30);
  for (const Matching matching : {Matching::permutation, Matching::semi}) {
    const std::vector<double> crossed =
        ways.agree(a, b, matching, matching == Matching::permutation);
    CHECK_NEAR(crossed[0], 1, tolerance);
    CHECK(std::isnan(crossed[2]));
    double score = 0, scores[2];
    std::vector<int64_t> assignment(50);
    match_pairs(a.arrays[0], b.arrays[0], matching, 1, &score, Counted(1, 2), assignment.data());
    for (int64_t i = 0; i < 50; ++i) CHECK(assignment[i] == i);
    match_reordered(a.arrays[1], b.arrays[0], orders.data(), 2, matching, 2, scores);
    CHECK_NEAR(scores[0], crossed[1], tolerance);
  }
}

}  // namespace

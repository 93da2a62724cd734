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

// The least sum over all ways to give each row (rows <= cols) its own column.
double least_cost(const Matrix& cost) {
  if (cost.rows > cost.cols) return least_cost(transposed(cost));
  std::vector<int64_t> order(size_t(cost.cols), 0);
  std::iota(order.begin(), order.end(), 0);
  double least = kInfinity;
  do {
    double sum = 0;
    for (int64_t i = 0; i < cost.rows; ++i) sum += cost(i, order[size_t(i)]);
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

struct Solution {
  std::vector<int64_t> rows, cols;
  std::vector<double> cost, row_dual, column_dual, gap;

  Solution(int64_t count, int64_t m, int64_t n)
      : rows(size_t(count * std::min(m, n)), -1),
        cols(rows),
        cost(size_t(count), NAN),
        row_dual(size_t(count * m), NAN),
        column_dual(size_t(count * n), NAN),
        gap(cost) {}
};

template <class T>
Solution solved(const std::vector<Matrix>& problems, bool maximize, int threads,
                const Solution* start = nullptr) {
  const int64_t count = int64_t(problems.size()), m = problems[0].rows, n = problems[0].cols;
  std::vector<T> data;
  for (const Matrix& problem : problems) {
    for (const double value : problem.data) data.push_back(T(value));
  }
  Solution out(count, m, n);
  const AssignmentCertificates certificates{out.cost.data(), out.row_dual.data(),
                                            out.column_dual.data(), out.gap.data()};
  solve_assignments(array_of(data, {count, m, n}), maximize,
                    start ? start->row_dual.data() : nullptr,
                    start ? start->column_dual.data() : nullptr, out.rows.data(), out.cols.data(),
                    &certificates, threads);
  return out;
}

// Pairs are a matching of that cost, and the duals prove it optimal.
void check_certificate(const Matrix& cost, bool maximize, const Solution& s, int64_t item,
                       double tolerance) {
  const int64_t m = cost.rows, n = cost.cols, pairs = std::min(m, n);
  const double sign = maximize ? -1 : 1;
  std::vector<bool> row_used(size_t(m), false), column_used(size_t(n), false);
  double sum = 0;
  for (int64_t k = 0; k < pairs; ++k) {
    const int64_t i = s.rows[size_t(item * pairs + k)], j = s.cols[size_t(item * pairs + k)];
    CHECK(!row_used[size_t(i)] && !column_used[size_t(j)]);
    CHECK(k == 0 || i > s.rows[size_t(item * pairs + k - 1)]);
    row_used[size_t(i)] = column_used[size_t(j)] = true;
    sum += cost(i, j);
  }
  CHECK_NEAR(s.cost[size_t(item)], sum, tolerance);
  double dual_sum = 0;
  for (int64_t i = 0; i < m; ++i) dual_sum += s.row_dual[size_t(item * m + i)];
  for (int64_t j = 0; j < n; ++j) dual_sum += s.column_dual[size_t(item * n + j)];
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double slack = sign * (cost(i, j) - s.row_dual[size_t(item * m + i)] -
                                   s.column_dual[size_t(item * n + j)]);
      CHECK(slack >= -tolerance);
    }
  }
  CHECK_NEAR(dual_sum, sum, tolerance);
  CHECK(s.gap[size_t(item)] >= -tolerance && s.gap[size_t(item)] <= tolerance);
}

template <class T>
void small_problems_match_brute_force() {
  for (const auto& [m, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {1, 5}, {5, 1}, {4, 4}, {3, 6}, {6, 3}, {6, 6}}) {
    for (const bool maximize : {false, true}) {
      std::vector<Matrix> problems;
      for (uint64_t k = 0; k < 20; ++k) {
        problems.push_back(random_matrix(m, n, k));
        if (k % 4 == 3) {  // ties
          for (double& value : problems.back().data) value = std::round(2 * value);
        }
      }
      for (const int threads : {1, 3}) {
        const Solution s = solved<T>(problems, maximize, threads);
        for (int64_t k = 0; k < 20; ++k) {
          Matrix signed_cost = problems[size_t(k)];
          if (maximize) {
            for (double& value : signed_cost.data) value = -value;
          }
          const double least = least_cost(signed_cost);
          CHECK_NEAR(s.cost[size_t(k)], maximize ? -least : least, 1e-6);
          check_certificate(problems[size_t(k)], maximize, s, k, 1e-6);
        }
      }
    }
  }
}

TEST(small_problems) {
  small_problems_match_brute_force<float>();
  small_problems_match_brute_force<double>();
}

template <class T>
void certificates_hold_cold_and_warm(int64_t m, int64_t n) {
  std::vector<Matrix> problems{random_matrix(m, n, 1), random_matrix(m, n, 2)};
  for (int64_t i = 0; i < m; ++i) {  // one row of copies: nearly matched problems take shortcuts
    for (int64_t j = 0; j < n; ++j) problems[1](i, j) += i == j ? -3 : 0;
  }
  const Solution cold = solved<T>(problems, false, 2);
  const Solution warm = solved<T>(problems, false, 2, &cold);
  std::swap(problems[0], problems[1]);
  const Solution misled = solved<T>(problems, false, 2, &cold);
  for (int64_t k = 0; k < 2; ++k) {
    check_certificate(problems[size_t(k)], false, misled, k, 1e-4);
    check_certificate(problems[size_t(1 - k)], false, cold, k, 1e-4);
    CHECK_NEAR(warm.cost[size_t(k)], cold.cost[size_t(k)], 1e-4);
    CHECK_NEAR(misled.cost[size_t(k)], cold.cost[size_t(1 - k)], 1e-4);
  }
}

TEST(larger_problems_cold_and_warm) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{63, 63}, {130, 130}, {40, 90}, {90, 40}}) {
    certificates_hold_cold_and_warm<float>(m, n);
    certificates_hold_cold_and_warm<double>(m, n);
  }
}

TEST(columns_and_strides_give_the_same_pairs) {
  const int64_t n = 20;
  const Matrix cost = random_matrix(n, n, 5);
  std::vector<double> wide = cost.padded<double>(n + 7, NAN);
  const Matrix turned = transposed(cost);
  std::vector<double> columns = turned.data;
  ArrayRef strided = array_of(wide, {n, n}), transposed_view = array_of(columns, {n, n});
  strided.strides = {n + 7, 1};
  transposed_view.strides = {1, n};
  const Solution expected = solved<double>({cost}, false, 1);
  for (const ArrayRef& view : {strided, transposed_view}) {
    Solution s(1, n, n);
    solve_assignments(view, false, nullptr, nullptr, s.rows.data(), s.cols.data(), nullptr, 1);
    CHECK(s.rows == expected.rows && s.cols == expected.cols);
  }
}

TEST(infinity_forbids_and_nan_is_refused) {
  Matrix cost = random_matrix(5, 5, 6);
  for (int64_t j = 1; j < 5; ++j) cost(0, j) = kInfinity;
  const Solution s = solved<double>({cost}, false, 1);
  CHECK(s.cols[0] == 0 && std::isfinite(s.cost[0]));
  cost(0, 0) = kInfinity;
  CHECK_THROWS(InputError, solved<double>({cost}, false, 1));
  CHECK_THROWS(InputError, solved<float>({random_matrix(5, 5, 1), cost}, false, 2));
  cost(0, 0) = NAN;
  CHECK_THROWS(InputError, solved<double>({cost}, false, 1));
  cost(0, 0) = -kInfinity;
  CHECK_THROWS(InputError, solved<double>({cost}, false, 1));
}

TEST(a_constant_matrix_gives_the_identity) {
  Matrix cost(7, 9);
  std::fill(cost.data.begin(), cost.data.end(), 2.5);
  const Solution s = solved<float>({cost}, false, 1);
  for (int64_t k = 0; k < 7; ++k) CHECK(s.cols[size_t(k)] == k);
}

TEST(shuffled_units_are_matched) {
  const int64_t count = 3, n = 25, d = 11;
  std::vector<double> x = random_matrix(count * n, d, 1).data, y(x.size());
  for (int64_t row = 0; row < count * n; ++row) {
    for (int64_t j = 0; j < d; ++j) {
      y[size_t(row * d + (j * 3 + 1) % d)] = 2 * x[size_t(row * d + j)] + double(j);
    }
  }
  for (const Matching matching : {Matching::permutation, Matching::semi}) {
    std::vector<double> scores(count, NAN);
    std::vector<int64_t> assignment(size_t(count * d), -2), constant(size_t(2 * count), -1);
    match_units(matching, array_of(x, {count, n, d}), array_of(y, {count, n, d}), scores.data(),
                assignment.data(), constant.data(), 2);
    for (int64_t k = 0; k < count; ++k) {
      CHECK_NEAR(scores[size_t(k)], 1, 1e-12);
      for (int64_t j = 0; j < d; ++j) CHECK(assignment[size_t(k * d + j)] == (j * 3 + 1) % d);
    }
    CHECK(std::count(constant.begin(), constant.end(), 0) == 2 * count);
  }
}

template <class T>
void all_pairs_match_batches(Matching matching) {
  const int64_t n = 30;
  const std::vector<int64_t> widths{4, 12, 4, 1, 20};
  std::vector<std::vector<T>> values, prepared;
  UnitItems<T> list;
  for (size_t k = 0; k < widths.size(); ++k) {
    values.push_back(random_matrix(n, widths[k], 5 * k).padded<T>(widths[k]));
    prepared.emplace_back(values[k].size());
    list.constant_units.push_back(
        unit_columns<T>({values[k].data(), n, widths[k], widths[k], 1}, prepared[k].data()));
  }
  for (size_t k = 0; k < widths.size(); ++k) list.items.push_back({prepared[k].data(), widths[k]});
  const size_t m = widths.size();
  for (const int threads : {1, 3}) {
    std::vector<double> crossed(m * m, NAN), self(m * m, NAN);
    match_units_cross(matching, list, &list, n, crossed.data(), threads);
    match_units_cross<T>(matching, list, nullptr, n, self.data(), threads);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < m; ++j) {
        double single = NAN;
        int64_t assignment[20], constant[2];
        match_units(matching, array_of(values[i], {n, widths[i]}),
                    array_of(values[j], {n, widths[j]}), &single, assignment, constant, 1);
        CHECK_NEAR(crossed[i * m + j], single, sizeof(T) == 8 ? 1e-12 : 1e-5);
        CHECK_NEAR(self[i * m + j], single, sizeof(T) == 8 ? 1e-12 : 1e-5);
      }
    }
  }
}

TEST(all_pairs) {
  for (const Matching matching : {Matching::permutation, Matching::semi}) {
    all_pairs_match_batches<float>(matching);
    all_pairs_match_batches<double>(matching);
  }
}

}  // namespace

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.h"
#include "core/error.h"
#include "naive.h"
#include "transport/soft_match.h"
#include "transport/transport.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Solves one problem, looks at its flows and its certificate, and returns its cost.
template <class T>
double certified_cost(TransportSolver& solver, const MatrixRef<const T>& cost, double sign,
                      const Marginals& marginals) {
  CHECK(solver.solve(cost, sign, marginals) == FlowStatus::optimal);
  std::vector<double> sent(cost.rows, 0.0), taken(cost.cols, 0.0);
  double sum = 0;
  solver.for_each_arc([&](int64_t i, int64_t j, double mass) {
    CHECK(mass > 0);
    sent[i] += mass;
    taken[j] += mass;
    sum += mass * double(cost(i, j));
  });
  const double unit = marginals.unit * marginals.whole;
  std::vector<double> u(cost.rows), v(cost.cols);
  const double gap = solver.certify(u.data(), v.data());
  CHECK(gap >= 0 && gap < 1e-10);
  double bound = 0;
  for (int64_t i = 0; i < cost.rows; ++i) {
    CHECK_NEAR(sent[i], double(marginals.supply[i]) * unit, 1e-14 * marginals.whole);
    bound += sent[i] * u[i];
    for (int64_t j = 0; j < cost.cols; ++j) {
      CHECK(sign * (double(cost(i, j)) - u[i] - v[j]) >= -1e-12);
    }
  }
  for (int64_t j = 0; j < cost.cols; ++j) {
    CHECK_NEAR(taken[j], double(marginals.demand[j]) * unit, 1e-14 * marginals.whole);
    bound += taken[j] * v[j];
  }
  CHECK_NEAR(sum, bound, 1e-10);  // no plan is better
  return sum;
}

template <class T>
void layouts_agree(const Matrix& m, const Marginals& marginals) {
  const std::vector<T> values = m.padded<T>(m.cols), turned = transposed(m).padded<T>(m.rows);
  TransportSolver solver;  // one workspace for all
  const MatrixRef<const T> straight{values.data(), m.rows, m.cols, m.cols, 1};
  const MatrixRef<const T> columns{turned.data(), m.rows, m.cols, 1, m.rows};
  const double cost = certified_cost(solver, straight, 1, marginals);
  CHECK_NEAR(certified_cost(solver, columns, 1, marginals), cost, 1e-12);
  certified_cost(solver, straight, -1, marginals);
}

TEST(uniform_and_given_masses) {
  for (const auto& [rows, cols] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {1, 9}, {7, 7}, {6, 9}, {20, 30}, {45, 32}, {70, 101}}) {
    const Matrix m = random_matrix(rows, cols, 1);
    layouts_agree<double>(m, uniform_marginals(rows, cols));
    layouts_agree<float>(m, uniform_marginals(rows, cols));
    std::vector<double> a(rows), b(cols);
    for (int64_t i = 0; i < rows; ++i) a[i] = i % 4 == 3 ? 0 : 1 + double(i % 5);
    for (int64_t j = 0; j < cols; ++j) b[j] = 1 + double(j % 3);
    const double scale =
        std::accumulate(a.begin(), a.end(), 0.0) / std::accumulate(b.begin(), b.end(), 0.0);
    for (double& mass : b) mass *= scale;
    layouts_agree<double>(m, marginals_of(a.data(), rows, b.data(), cols, kInfinity));
  }
}

TEST(a_part_of_the_mass_is_sent) {
  const Matrix m = random_matrix(12, 17, 2);
  const std::vector<double> values = m.padded<double>(m.cols);
  const std::vector<double> a(12, 1.0 / 12), b(17, 1.0 / 17);
  for (const double mass : {0.1, 0.5, 0.99}) {
    const Marginals marginals = marginals_of(a.data(), 12, b.data(), 17, mass);
    TransportSolver solver;
    CHECK(solver.solve(MatrixRef<const double>{values.data(), 12, 17, 17, 1}, 1, marginals) ==
          FlowStatus::optimal);
    double sent = 0;
    solver.for_each_arc([&](int64_t, int64_t, double part) { sent += part; });
    CHECK_NEAR(sent, mass, 1e-14);
  }
}

TEST_BOTH(soft_matchings_agree) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const Matrix x = random_matrix(30, 12, 3);
  const Items<T> a({x, random_matrix(30, 7, 4), Matrix(30, 5, 0.1)}), b({x});
  const Ways<T, SoftMatchOptions> ways{
      &soft_match_scores,
      [](const ArrayRef& left, const ArrayRef& right, const SoftMatchOptions& options, int threads,
         double* scores, const Counts& counts) {
        soft_match_pairs(left, right, options, threads, scores, counts, nullptr);
      },
      1, tolerance};
  const std::vector<int32_t> orders = two_orders(30);
  for (const SoftMatchOptions& options : {SoftMatchOptions{}, {true, 1}, {false, 0.5}}) {
    const std::vector<double> crossed = ways.agree(a, b, options);
    CHECK_NEAR(crossed[0], options.distance ? 0 : 1, std::sqrt(tolerance));
    double scores[2];
    soft_match_reordered(a.arrays[1], b.arrays[0], orders.data(), 2, options, 2, scores);
    CHECK_NEAR(scores[0], crossed[1], tolerance);
  }
}

TEST(impossible_problems_are_named) {
  std::vector<double> cost{1, kInfinity, 2, kInfinity};
  TransportSolver solver;
  const Marginals marginals = uniform_marginals(2, 2);
  const MatrixRef<const double> view{cost.data(), 2, 2, 2, 1};
  CHECK(solver.solve(view, 1, marginals) == FlowStatus::infeasible);
  cost[1] = std::nan("");
  CHECK(solver.solve(view, 1, marginals) == FlowStatus::invalid);
}

}  // namespace

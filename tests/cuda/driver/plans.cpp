#include "transport/cuda/plans.h"

#include <deque>

#include "driver.h"
#include "transport/cuda/transport.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
bool is_constant(const T* x, int samples, int cols, int column) {
  for (int r = 1; r < samples; ++r) {
    if (x[r * cols + column] != x[column]) return false;
  }
  return true;
}

// Similarities of units, or their squared distances.
template <class T>
std::vector<double> unit_costs(const T* x, const T* y, int samples, int dx, int dy, bool distance) {
  std::vector<double> out;
  for (int i = 0; i < dx; ++i) {
    for (int j = 0; j < dy; ++j) {
      const double norms =
          !is_constant(x, samples, dx, i) + double(!is_constant(y, samples, dy, j));
      const double here = correlation(x, y, samples, dx, dy, i, j);
      out.push_back(distance ? norms - 2 * here : here);
    }
  }
  return out;
}

double slow_score(const std::vector<double>& costs, int dx, int dy, bool distance) {
  const double best = least_transport(costs.data(), dx, dy, distance ? 1 : -1);
  return distance ? std::sqrt(std::max(best, 0.0)) : best;
}

void expect_plan(const double* plan, int dx, int dy) {
  for (int i = 0; i < dx; ++i) {
    const double sum = std::accumulate(plan + i * dy, plan + (i + 1) * dy, 0.0);
    expect(std::abs(sum - 1.0 / dx) <= 1e-6, "sum of a row");
  }
  for (int j = 0; j < dy; ++j) {
    double sum = 0;
    for (int i = 0; i < dx; ++i) sum += plan[i * dy + j];
    expect(std::abs(sum - 1.0 / dy) <= 1e-6, "sum of a column");
  }
}

// A constant representation; units of x, one of them constant, with those of y; one with NaN.
template <class T>
void soft(bool distance, int dx, int dy) {
  constexpr int kCount = 3, kSamples = 37;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-10;
  std::vector<T> host_x = normal<T>(kCount * kSamples * dx);
  std::vector<T> host_y = normal<T>(kCount * kSamples * dy);
  for (int k = 0; k < kCount * kSamples; ++k) {
    host_x[k * dx + 2] = T(3);
    host_y[k * dy + 1] = host_x[k * dx];
    for (int i = 0; i < dx && k < kSamples; ++i) host_x[k * dx + i] = T(i);
  }
  host_y[(2 * kSamples + 5) * dy + 3] = T(std::nan(""));
  const OnDevice<T> x(host_x), y(host_y), plan(size_t(kCount) * dx * dy);
  const OnDevice<double> score(kCount);
  const OnDevice<int64_t> constant(2 * kCount);
  Call call;
  soft_match_pairs<T>(call.context(), distance, {kCount, kSamples, dx, dy}, x.get(), y.get(),
                      score.get(), plan.get(), constant.get());
  const auto scores = score.values();
  const auto plans = plan.values();
  expect(constant.values() == std::vector<int64_t>({dx, 1, 1, 0, 0, 0}), "constant units");
  expect(std::isnan(scores[0]) && std::isnan(scores[2]), "score of nothing");
  const size_t size = size_t(dx) * dy;
  for (size_t k = 0; k < plans.size(); ++k) {
    expect(k / size == 1 || plans[k] == 0, "plan of nothing");
  }
  const T *a = host_x.data() + kSamples * dx, *b = host_y.data() + kSamples * dy;
  const std::vector<double> costs = unit_costs(a, b, kSamples, dx, dy, distance);
  const double best = slow_score(costs, dx, dy, distance);
  expect(std::abs(scores[1] - best) <= tolerance, "score of a soft matching");
  const std::vector<double> wide(plans.begin() + dx * dy, plans.begin() + 2 * dx * dy);
  expect_plan(wide.data(), dx, dy);
  const double sum = std::inner_product(wide.begin(), wide.end(), costs.begin(), 0.0);
  expect(std::abs((distance ? std::sqrt(sum) : sum) - best) <= tolerance, "plan of units");
}

// Copies of units, far from the origin: differences of squares would not come so near to 0.
void soft_copies() {
  constexpr int kSamples = 20, kWidth = 3;
  std::vector<double> host_x = normal<double>(kSamples * kWidth), host_y;
  for (int k = 0; k < kSamples * 2 * kWidth; ++k) {
    host_y.push_back(4 * host_x[k / (2 * kWidth) * kWidth + k % kWidth]);
  }
  const OnDevice<double> x(host_x), y(host_y), score(1), plan(2 * kWidth * kWidth);
  const OnDevice<int64_t> constant(2);
  Call call;
  soft_match_pairs<double>(call.context(), true, {1, kSamples, kWidth, 2 * kWidth}, x.get(),
                           y.get(), score.get(), plan.get(), constant.get());
  expect(score.values()[0] <= 1e-14, "distance of copies");
}

// All pairs of a list, or of two.
void soft_grid(bool distance, bool symmetric) {
  constexpr int kSamples = 15, kItems = 4;
  const std::vector<int64_t> cols{4, 6, 6, 3};
  std::deque<OnDevice<double>> items;
  std::vector<std::vector<double>> hosts;
  std::vector<Matrix<double>> list;
  for (const int64_t d : cols) {
    hosts.push_back(normal<double>(size_t(kSamples * d)));
    for (int k = 0; k < kSamples * int(d) && d == 6; ++k) {
      hosts.back()[size_t(k)] *= double(hosts.size() == 2 && k % 6 != 1);  // the third is constant
    }
    items.emplace_back(hosts.back());
    list.push_back({items.back().get(), d});
  }
  const OnDevice<double> scores(kItems * kItems);
  const OnDevice<int64_t> constant(symmetric ? kItems : 2 * kItems);
  Call call;
  soft_match_scores<double>(call.context(), distance, list, list, kSamples, symmetric, scores.get(),
                            constant.get());
  const auto given = scores.values();
  for (int i = 0; i < kItems; ++i) {
    for (int j = 0; j < kItems; ++j) {
      const int dx = int(cols[i]), dy = int(cols[j]);
      const std::vector<double> costs =
          unit_costs(hosts[i].data(), hosts[j].data(), kSamples, dx, dy, distance);
      const double best = slow_score(costs, dx, dy, distance), here = given[i * kItems + j];
      const double tolerance = i == j ? 1e-7 : 1e-12;
      const bool nothing = i == 2 || j == 2;
      expect(nothing ? std::isnan(here) : std::abs(here - best) <= tolerance, "grid of scores");
      if (i == j && symmetric && !nothing) {
        expect(here == (distance ? 0 : i == 1 ? 5.0 / 6 : 1), "score of an item with itself");
      }
    }
  }
  const auto constants = constant.values();
  for (size_t k = 0; k < constants.size(); ++k) {
    expect(constants[k] == (k % kItems == 2 ? 6 : k % kItems == 1), "constant units of a list");
  }
}

void own_scores() {
  std::vector<double> host(40, 0.5);
  const OnDevice<double> known(host), score(2);
  host[33] = std::nan("");
  const OnDevice<double> unknown(host);
  const OnDevice<int64_t> constant(std::vector<int64_t>{10});
  need(own_score<double>(known.get(), 40, constant.get(), false, score.get(), stream), "launch");
  need(own_score<double>(unknown.get(), 40, constant.get(), true, score.get() + 1, stream),
       "launch");
  const auto scores = score.values();
  expect(scores[0] == 0.75 && std::isnan(scores[1]), "own scores");
}

// Plans of given costs in the caller's layout, one of them without a solution.
template <class T>
void plans_of(int rows, int cols, bool transposed) {
  std::vector<T> host = normal<T>(size_t(2) * rows * cols);
  for (int j = 0; j < cols; ++j) {
    host[size_t(rows + 1) * cols + j] = std::numeric_limits<T>::infinity();
  }
  const OnDevice<T> cost(host), plan(host.size());
  const int m = transposed ? cols : rows, n = transposed ? rows : cols;
  const OnDevice<double> u(2 * m), v(2 * n), gap(2);
  Call call;
  solve_transports<T>(call.context(), {2, rows, cols, transposed}, cost.get(), plan.get(), u.get(),
                      v.get(), gap.get());
  const auto found = plan.values();
  const auto row_dual = u.values(), column_dual = v.values(), gaps = gap.values();
  const std::vector<double> wide(found.begin(), found.begin() + rows * cols);
  expect_plan(wide.data(), m, n);
  double total = 0, bound = 0;
  for (int i = 0; i < m; ++i) bound += row_dual[i] / m;
  for (int j = 0; j < n; ++j) bound += column_dual[j] / n;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      total += wide[transposed ? j * rows + i : i * cols + j] * double(host[i * cols + j]);
    }
  }
  const double least = least_transport(host.data(), rows, cols, 1);
  expect(std::abs(total - least) <= 1e-6 && std::abs(bound - least) <= 1e-9, "plan of costs");
  expect(gaps[0] >= 0 && gaps[0] <= 1e-9 && std::isnan(gaps[1]), "gaps of plans");
  for (int k = rows * cols; k < 2 * rows * cols; ++k) expect(std::isnan(found[k]), "no plan");
}

void plans() {
  for (const bool distance : {false, true}) {
    soft<float>(distance, 6, 8);
    soft<double>(distance, 44, 11);
    soft<double>(distance, 9, 9);
    soft_grid(distance, true);
  }
  soft_grid(true, false);
  soft_copies();
  own_scores();
  plans_of<float>(6, 9, false);
  plans_of<double>(5, 10, true);
  plans_of<double>(7, 7, false);
}

const Topic topic("plans", plans);

}  // namespace
}  // namespace likewise::cuda::driver

#include "transport/cuda/flow.h"

#include <numeric>

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

double largest_gap = 0;

enum class Costs { any, ties, products, forbidden, offset };

template <class T>
std::vector<T> costs(Costs kind, int count, int rows, int cols) {
  std::vector<T> out = normal<T>(size_t(count) * rows * cols);
  for (size_t k = 0; k < out.size(); ++k) {
    const int i = int(k) / cols % rows, j = int(k) % cols;
    if (kind == Costs::ties) out[k] = T(generator() % 4);
    if (kind == Costs::products) out[k] = T((i + 1) * (j + 1));
    if (kind == Costs::offset) out[k] += T(1e6);
    if (kind == Costs::forbidden && j / ((cols + rows - 1) / rows) != i && generator() % 3 == 0) {
      out[k] = std::numeric_limits<T>::infinity();
    }
  }
  return out;
}

template <class T>
void flow(Costs kind, int rows, int cols, bool maximize) {
  constexpr int kCount = 2;
  const double sign = maximize ? -1 : 1;
  const std::vector<T> host = costs<T>(kind, kCount, rows, cols);
  const OnDevice<T> cost(host);
  const OnDevice<short> units(host.size());
  const OnDevice<double> total(kCount), u(kCount * rows), v(kCount * cols), gap(kCount);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_flows<T>(cost.get(), kCount, rows, cols, maximize,
                      {units.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
                      stream),
       "transport");
  const auto sent = units.values();
  const auto sums = total.values(), row_dual = u.values(), column_dual = v.values();
  const auto gaps = gap.values();
  expect(failure.values()[0] == ~0ull, "status of a transport");
  const int common = std::gcd(rows, cols);
  for (int q = 0; q < kCount; ++q) {
    const T* const problem = host.data() + size_t(q) * rows * cols;
    const double least = least_transport(problem, rows, cols, sign);
    const double close = 1e-9 * (1 + std::abs(least));
    expect(std::abs(sums[q] - least) <= close, "cost of a transport");
    expect(gaps[q] >= 0 && gaps[q] <= close, "gap of a transport");
    largest_gap = std::max(largest_gap, gaps[q]);
    std::vector<int> of_rows(static_cast<size_t>(rows)), of_cols(static_cast<size_t>(cols));
    double slacks = 0, dual_sum = 0;
    for (int i = 0; i < rows; ++i) {
      dual_sum += row_dual[q * rows + i] / rows;
      for (int j = 0; j < cols; ++j) {
        const double slack = sign * (double(problem[i * cols + j]) - column_dual[q * cols + j] -
                                     row_dual[q * rows + i]);
        expect(slack >= -close, "duals of a transport");
        const int here = sent[(size_t(q) * cols + j) * rows + i];
        expect(here >= 0, "units of a transport");
        of_rows[i] += here, of_cols[j] += here;
        if (here > 0) slacks += slack * here * common / (double(rows) * cols);
      }
    }
    for (int j = 0; j < cols; ++j) dual_sum += column_dual[q * cols + j] / cols;
    expect(std::abs(dual_sum - least) <= close, "bound of the duals");
    expect(std::abs(gaps[q] - slacks) <= 1e-9 * slacks, "sum of slacks");
    for (const int n : of_rows) expect(n == cols / common, "units of a row");
    for (const int n : of_cols) expect(n == rows / common, "units of a column");
  }
}

void refuse_flows() {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> host = normal<double>(3 * 10 * 35);
  for (int i = 0; i < 10; ++i) host[350 + 35 * i + 7] = infinity;  // a column nobody may send to
  host[700 + 36] = std::nan("");
  const OnDevice<double> cost(host);
  const OnDevice<short> units(host.size());
  const OnDevice<double> total(3), u(30), v(105), gap(3);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_flows<double>(cost.get(), 3, 10, 35, false,
                           {units.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
                           stream),
       "transport");
  const auto sums = total.values(), gaps = gap.values();
  const auto row_dual = u.values(), column_dual = v.values();
  expect(failure.values()[0] == (1 << 2 | kInfeasible), "first failure of a batch");
  expect(std::isfinite(sums[0]) && std::isfinite(gaps[0]), "a good problem beside bad ones");
  expect(std::isnan(sums[1]) && std::isnan(gaps[1]), "infeasible costs");
  expect(std::isnan(sums[2]) && std::isnan(gaps[2]), "invalid costs");
  for (int k = 0; k < 30; ++k) expect(std::isnan(row_dual[k]) == (k >= 10), "refused row duals");
  for (int k = 0; k < 105; ++k) {
    expect(std::isnan(column_dual[k]) == (k >= 35), "refused column duals");
  }
}

void flows() {
  for (const Costs kind : {Costs::any, Costs::ties, Costs::products, Costs::forbidden}) {
    flow<float>(kind, 12, 20, kind == Costs::any);
    flow<double>(kind, 6, 9, false);
    flow<double>(kind, 20, 70, kind == Costs::ties);
  }
  flow<float>(Costs::any, 1, 5, false);
  flow<double>(Costs::any, 8, 8, false);
  flow<double>(Costs::offset, 28, 84, false);
  expect(largest_gap > 0, "a gap to look at");
  refuse_flows();
}

const Topic topic("flow", flows);

}  // namespace
}  // namespace likewise::cuda::driver

#include "assignment/cuda/lap.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

double largest_gap = 0;

enum class Costs { any, ties, products, forbidden, equal, offset };

template <class T>
std::vector<T> costs(Costs kind, int count, int rows, int cols) {
  std::vector<T> out = normal<T>(size_t(count) * rows * cols);
  for (size_t k = 0; k < out.size(); ++k) {
    const int i = int(k) / cols % rows, j = int(k) % cols;
    if (kind == Costs::ties) out[k] = T(generator() % 4);
    if (kind == Costs::products) out[k] = T((i + 1) * (j + 1));
    if (kind == Costs::equal) out[k] = 7;
    if (kind == Costs::offset) out[k] += T(1e6);
    if (kind == Costs::forbidden && i != j && generator() % 2) {
      out[k] = std::numeric_limits<T>::infinity();
    }
  }
  return out;
}

template <class T>
void assign(Costs kind, int rows, int cols, bool transposed) {
  constexpr int kCount = 2;
  const std::vector<T> host = costs<T>(kind, kCount, rows, cols);
  const OnDevice<T> cost(host);
  const int m = transposed ? cols : rows, n = transposed ? rows : cols;
  const OnDevice<int64_t> row_ind(kCount * rows), col_ind(kCount * rows);
  const OnDevice<double> total(kCount), u(kCount * m), v(kCount * n), gap(kCount);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_assignments<T>(
           cost.get(), kCount, rows, cols, false, transposed,
           {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
           stream),
       "assignment");
  const auto r = row_ind.values(), c = col_ind.values();
  const auto sums = total.values(), row_dual = u.values(), column_dual = v.values();
  const auto gaps = gap.values();
  expect(failure.values()[0] == ~0ull, "status of an assignment");
  for (int q = 0; q < kCount; ++q) {
    const T* const problem = host.data() + size_t(q) * rows * cols;
    const double least = least_cost(problem, rows, cols);
    expect(std::abs(sums[q] - least) <= 1e-9 * (1 + std::abs(least)), "cost of an assignment");
    expect(gaps[q] >= 0 && gaps[q] <= 1e-9 * (1 + std::abs(least)), "gap of an assignment");
    double slacks = 0;  // of the pairs, which is what the gap adds up
    for (int k = 0; k < rows; ++k) {
      const int64_t i = r[q * rows + k], j = c[q * rows + k];
      const double entry = double(transposed ? problem[j * cols + i] : problem[i * cols + j]);
      const double u_k = row_dual[q * m + i], v_k = column_dual[q * n + j];
      slacks += transposed ? entry - u_k - v_k : entry - v_k - u_k;
      if (kind == Costs::equal) expect(i == k && j == k, "identity of equal costs");
    }
    expect(std::abs(gaps[q] - slacks) <= 1e-12 * slacks, "sum of slacks");
    largest_gap = std::max(largest_gap, gaps[q]);
    std::vector<char> seen(static_cast<size_t>(n));
    for (int k = 0; k < rows; ++k) {
      const int64_t i = r[q * rows + k], j = c[q * rows + k];
      const bool inside = i >= 0 && i < m && j >= 0 && j < n;
      expect(inside && !seen[j] && (k == 0 || r[q * rows + k - 1] < i), "pairs of an assignment");
      if (inside) seen[j] = 1;
    }
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        const double entry = double(transposed ? problem[j * cols + i] : problem[i * cols + j]);
        const double slack = entry - row_dual[q * m + i] - column_dual[q * n + j];
        expect(slack >= -1e-9, "duals of an assignment");
      }
    }
  }
}

void refuse_assignments() {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> host = normal<double>(3 * 40 * 40);
  for (int i = 0; i < 40; ++i) host[1600 + 40 * i + 7] = infinity;  // a column nobody may have
  host[3200 + 41] = std::nan("");
  const OnDevice<double> cost(host);
  const OnDevice<int64_t> row_ind(120), col_ind(120);
  const OnDevice<double> total(3), u(120), v(120), gap(3);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_assignments<double>(
           cost.get(), 3, 40, 40, false, false,
           {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
           stream),
       "assignment");
  const auto c = col_ind.values();
  const auto sums = total.values(), gaps = gap.values(), row_dual = u.values();
  expect(failure.values()[0] == (1 << 2 | kInfeasible), "first failure of a batch");
  expect(c[0] >= 0 && std::isfinite(sums[0]), "a good problem beside bad ones");
  for (int k = 40; k < 120; ++k) expect(c[k] == -1 && std::isnan(row_dual[k]), "refused pairs");
  expect(std::isnan(sums[1]) && std::isnan(gaps[2]), "refused costs");
}

void assignments() {
  for (const Costs kind : {Costs::any, Costs::ties, Costs::products, Costs::forbidden}) {
    assign<float>(kind, 30, 30, false);
    assign<double>(kind, 20, 41, kind == Costs::any);
    assign<double>(kind, 20, 70, kind == Costs::ties);
  }
  assign<float>(Costs::any, 70, 100, true);
  assign<float>(Costs::equal, 33, 40, false);
  assign<double>(Costs::offset, 60, 60, false);
  expect(largest_gap > 0, "a gap to look at");
  refuse_assignments();
}

const Topic topic("lap", assignments);

}  // namespace
}  // namespace likewise::cuda::driver

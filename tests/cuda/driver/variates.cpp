#include "cca/cuda/variates.h"

#include <numeric>

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Positions of values in descending order, the first of equal ones first.
std::vector<int> descending(const double* values, int size) {
  std::vector<int> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[a] > values[b]; });
  return order;
}

void whiten(int rank, double regularization, double variance) {
  constexpr int kCount = 3, kCols = 11;
  const int rows = rank + 2;
  std::vector<double> host(size_t(kCount) * rank);
  for (double& v : host) v = std::abs(normal<double>(1)[0]);
  for (int k = 0; k < kCount; ++k) host[size_t(k * rank + k)] = host[size_t(k * rank + k + 1)];
  host[1] = 1e-18;                                      // rounding
  std::fill(host.begin() + 2 * rank, host.end(), 0.0);  // a constant item
  const std::vector<int64_t> constants{0, 2, kCols};
  const OnDevice<double> values(host), kept(host.size());
  const OnDevice<int64_t> ranks(kCount), constant(constants);
  need(whiten_values({values.get(), kept.get(), ranks.get(), constant.get(), kCount, rank, rows,
                      kCols, regularization, variance},
                     stream),
       "whiten");
  const auto weights = values.values();
  const auto numbers = ranks.values();
  for (int k = 0; k < kCount; ++k) {
    const double* const s = &host[size_t(k * rank)];
    double total = 0, seen = 0;
    for (int j = 0; j < rank; ++j) total += s[j] * s[j];
    const double units = double(kCols - constants[size_t(k)]);
    const double ridge = regularization * total / units;
    const std::vector<int> order = descending(s, rank);
    const double least = variance < 1 ? std::max<double>(rows, units) * 0x1p-52 * s[order[0]] : 0;
    int64_t count = 0;
    for (const int j : order) {
      const bool counts = s[j] > least && (variance >= 1 || seen < variance * total);
      seen += s[j] * s[j];
      count += counts;
      const size_t at = size_t(k * rank + j);
      const double weight = ridge > 0 ? s[j] / std::sqrt(s[j] * s[j] + ridge) : 1;
      expect(std::abs(weights[at] - (counts ? weight : 0)) <= 1e-15, "whitened value");
    }
    expect(numbers[size_t(k)] == count, "rank");
  }
}

void correlations() {
  constexpr int kPairs = 300, kWeighted = 12, kSize = 5, kUnits = 40;
  std::vector<int64_t> ranks(kPairs);
  for (int k = 0; k < kPairs; ++k) ranks[size_t(k)] = k % (kSize + 1);
  const std::vector<int64_t> one{3};
  std::vector<double> host_rho(kPairs * kSize), host_sums(kPairs);
  for (double& rho : host_rho) rho = std::abs(normal<double>(1)[0]);
  std::fill_n(&host_rho[2 * kSize + 1], kSize - 1, 0.01);  // of equal ones the first counts
  for (double& sum : host_sums) sum = normal<double>(1)[0];
  const std::vector<double> host_projections = normal<double>(size_t(kPairs) * kSize * kUnits);
  const OnDevice<double> rho(host_rho), sums(host_sums), projections(host_projections);
  const OnDevice<double> means(kPairs), weighted(kWeighted), leading(kPairs * (kSize + 2));
  const OnDevice<int64_t> ranks_x(one), ranks_y(ranks);
  const PairRanks pairs{ranks_x.get(), ranks_y.get(), 0, 1, kPairs};
  const PairRanks few{ranks_x.get(), ranks_y.get(), 0, 1, kWeighted};
  const PairRanks turned{ranks_y.get(), ranks_x.get(), 1, 0, kPairs};
  need(mean_correlations(sums.get(), pairs, means.get(), stream), "mean");
  need(leading_correlations(rho.get(), kSize, turned, kSize + 2, leading.get(), stream), "leading");
  need(weighted_correlations({rho.get(), projections.get(), kSize, kUnits}, few, weighted.get(),
                             stream),
       "weighted");
  const auto mean = means.values(), first = leading.values(), with_weights = weighted.values();
  for (int k = 0; k < kPairs; ++k) {
    const int64_t rank = std::min<int64_t>(3, ranks[size_t(k)]);
    const auto good = [&](double given, double wanted) {
      return rank == 0 ? std::isnan(given) : std::abs(given - wanted) <= 1e-14;
    };
    expect(good(mean[size_t(k)], host_sums[size_t(k)] / double(rank)), "mean correlation");
    for (int j = 0; j < kSize + 2; ++j) {
      const double wanted = j < rank ? host_rho[size_t(k * kSize + j)] : 0;
      expect(good(first[size_t(k * (kSize + 2) + j)], wanted), "leading correlation");
    }
    if (k >= kWeighted) continue;
    const std::vector<int> order = descending(&host_rho[size_t(k * kSize)], kSize);
    double sum = 0, total = 0;
    for (int r = 0; r < rank; ++r) {
      double weight = 0;
      for (int j = 0; j < kUnits; ++j) {
        weight += std::abs(host_projections[size_t((k * kSize + order[size_t(r)]) * kUnits + j)]);
      }
      sum += weight * host_rho[size_t(k * kSize + order[size_t(r)])];
      total += weight;
    }
    expect(good(with_weights[size_t(k)], sum / total), "weighted correlation");
  }
}

void variates() {
  whiten(9, 0, 1);
  whiten(300, 0, 1);
  whiten(40, 0.3, 1);
  whiten(9, 0, 0.6);
  whiten(300, 0, 0.6);
  correlations();
}

const Topic topic("variates", variates);

}  // namespace
}  // namespace likewise::cuda::driver

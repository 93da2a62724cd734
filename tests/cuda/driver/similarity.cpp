#include "units/cuda/similarity.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

void limits() {
  std::vector<double> host = normal<double>(300);
  host[280] = std::nan("");
  const OnDevice<double> values(host);
  need(limit_correlations(values.get(), int64_t(host.size()), stream), "limit");
  const auto found = values.values();
  bool good = std::isnan(found[280]);
  for (size_t k = 0; k < host.size(); ++k) {
    good = good && (k == 280 || found[k] == std::clamp(host[k], -1.0, 1.0));
  }
  expect(good, "limits of correlations");
}

void weights() {
  constexpr int kUnits = 19;
  constexpr int64_t kSamples = int64_t(1) << 48;  // what rounds to 1 / 16
  const std::vector<double> host = normal<double>(kUnits * kUnits);
  const OnDevice<double> values(host);
  need(edge_weights(values.get(), kUnits, kSamples, stream), "weights");
  const auto found = values.values();
  bool good = true;
  for (int i = 0; i < kUnits; ++i) {
    for (int j = 0; j < kUnits; ++j) {
      const int k = i * kUnits + j;
      const bool none = i == j || std::abs(host[k]) <= 1. / 16;
      good = good && found[k] == (none ? 0 : std::min(std::abs(host[k]), 1.0));
    }
  }
  expect(good, "weights of edges");
}

void similarities() {
  limits();
  weights();
}

const Topic topic("similarity", similarities);

}  // namespace
}  // namespace likewise::cuda::driver

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

const Topic topic("similarity", limits);

}  // namespace
}  // namespace likewise::cuda::driver

#include "information/cuda/codes.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kUnits = 6, kSamples = 263;

// As NumPy interpolates between the order statistics.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = double(sorted.size() - 1) * share, whole = std::floor(place);
  const size_t lower = size_t(whole), upper = std::min(lower + 1, sorted.size() - 1);
  const double difference = sorted[upper] - sorted[lower], weight = place - whole;
  if (weight < 0.5) return sorted[lower] + difference * weight;
  return sorted[upper] - difference * (1 - weight);
}

// Unit 0 of both signs with zeros; 1 constant; 2 zero but once; 3 zero; 4 with NaN; 5 of few
// values.
template <class T>
void codes_of(int bins) {
  std::vector<T> host = normal<T>(kUnits * kSamples);
  std::vector<int32_t> order(host.size());
  for (int unit = 0; unit < kUnits; ++unit) {
    T* const values = host.data() + unit * kSamples;
    for (int k = 0; k < kSamples; ++k) {
      if (unit == 0) values[k] = 0;
      if (unit == 1) values[k] = T(0.1);
      if (unit == 2) values[k] = std::round(2 * values[k]);
      if (unit == 3) values[k] *= T(std::pow(10.0, k % 7));
      if (unit == 3 && k % 3 == 0) values[k] = k % 2 ? T(-0.0) : T(0);
      if (unit == 5) values[k] = T(k == 9 ? 2 : 0);
    }
    if (unit == 4) values[7] = T(std::nan(""));
    int32_t* const mine = order.data() + unit * kSamples;
    std::iota(mine, mine + kSamples, 0);
    std::stable_sort(mine, mine + kSamples, [&](int a, int b) {
      return values[a] < values[b] || (std::isnan(values[b]) && !std::isnan(values[a]));
    });
  }
  const OnDevice<T> values(host);
  const OnDevice<int32_t> places(order);
  const OnDevice<double> edges(size_t(kUnits) * (bins - 2));
  const OnDevice<uint8_t> codes(host.size());
  const OnDevice<int64_t> unknown(std::vector<int64_t>(kUnits, 0));
  const OnDevice<int64_t> constant(std::vector<int64_t>(6, 10));
  // The units are numbers 4 to 9 of items of 3: of 1, 1, 2, 2, 2, 3.
  need(bin_edges<T>({values.get(), places.get(), kUnits, kSamples}, bins, edges.get(),
                    {constant.get(), 1, 4, 3}, stream),
       "edges");
  need(unit_codes<T>(values.get(), kUnits, kSamples, edges.get(), bins, codes.get(), unknown.get(),
                     stream),
       "codes");
  expect(constant.values() == std::vector<int64_t>({10, 12, 10, 10, 10, 10}), "constant units");
  expect(unknown.values() == std::vector<int64_t>({0, 0, 0, 0, 1, 0}), "units with NaN");
  const auto found = edges.values();
  const auto bin = codes.values();
  for (int unit = 0; unit < kUnits; ++unit) {
    std::vector<double> active;
    for (int k = 0; k < kSamples; ++k) {
      const double value = double(host[unit * kSamples + k]);
      if (value < 0 || value > 0) active.push_back(value);
    }
    std::sort(active.begin(), active.end());
    const double* const mine = found.data() + unit * (bins - 2);
    for (int k = 0; k < bins - 2; ++k) {
      const double share = double(k + 1) / (bins - 1);
      const double edge = active.empty() ? 0 : quantile(active, share);
      expect(unit == 4 ? std::isnan(mine[k]) : mine[k] == edge, "edge of a bin");
    }
    for (int k = 0; k < kSamples; ++k) {
      const double value = double(host[unit * kSamples + k]);
      int code = 1;
      for (int e = 0; e < bins - 2; ++e) code += mine[e] <= value || std::isnan(value);
      expect(bin[unit * kSamples + k] == (value == 0 ? 0 : code), "bin of a value");
    }
  }
}

void codes() {
  codes_of<float>(3);
  codes_of<double>(40);
}

const Topic topic("codes", codes);

}  // namespace
}  // namespace likewise::cuda::driver

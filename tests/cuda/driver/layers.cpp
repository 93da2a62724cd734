#include "network/cuda/layers.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
void layers_of() {
  constexpr int kOuter = 3, kUnits = 7, kInner = 15, kSize = kOuter * kUnits * kInner;
  const std::vector<T> host = normal<T>(kSize), other = normal<T>(kSize);
  const std::vector<int64_t> order{2, 0, 6, -1, 1, 5, 5};
  const OnDevice<T> in(host), second(other), out(kSize), mean(kSize);
  const OnDevice<int64_t> places(order);
  need(take_units<T>(in.get(), kOuter, kUnits, kInner, places.get(), out.get(), stream), "take");
  need(weighted_mean<T>(in.get(), second.get(), kSize, 0.3, mean.get(), stream), "mean");
  const auto found = out.values(), average = mean.values();
  bool good = true;
  for (int k = 0; k < kSize; ++k) {
    const int inner = k % kInner, unit = k / kInner % kUnits, outer = k / kInner / kUnits;
    const int from = int(order[unit]);
    expect(from < 0 ? std::isnan(found[k])
                    : found[k] == host[(outer * kUnits + from) * kInner + inner],
           "unit in its place");
    const double expected = 0.7 * double(host[k]) + 0.3 * double(other[k]);
    good = good && std::abs(double(average[k]) - expected) <= (sizeof(T) == 4 ? 1e-6 : 1e-14);
  }
  expect(good, "weighted means");
}

void layers() {
  layers_of<float>();
  layers_of<double>();
}

const Topic topic("layers", layers);

}  // namespace
}  // namespace likewise::cuda::driver

#include "linalg/cuda/unit_scale.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// There and back, of large and small matrices, of zeros and of one that is not finite.
template <class T>
void units() {
  constexpr int kCount = 4, kSize = 700;
  const int extreme = sizeof(T) == 4 ? 120 : 1000;
  std::vector<T> host = normal<T>(kCount * kSize);
  for (int k = 0; k < kSize; ++k) {
    host[k] = T(std::ldexp(double(host[k]), extreme));
    host[kSize + k] = T(std::ldexp(double(host[kSize + k]), -extreme));
    host[2 * kSize + k] = 0;
  }
  host[3 * kSize + 5] = T(std::nan(""));
  const OnDevice<T> x(host), scaled(host.size());
  const OnDevice<int> exponents(kCount), more(std::vector<int>{0, 3, 0, 0});
  need(to_unit_scale<T>(x.get(), kCount, kSize, scaled.get(), exponents.get(), stream), "scale");
  const auto unit = scaled.values();
  const auto found = exponents.values();
  for (int q = 0; q < kCount; ++q) {
    double largest = 0;
    for (int k = 0; k < kSize; ++k) {
      const double value = double(unit[q * kSize + k]);
      largest = std::max(largest, std::abs(value));
      expect(std::isnan(value) || std::ldexp(value, found[q]) == double(host[q * kSize + k]),
             "scaled element");
    }
    if (q < 2) expect(largest >= 1 && largest < 2, "largest element");
    if (q >= 2) expect(found[q] == 0, "exponent of zeros, and beside NaN");
  }
  need(from_unit_scale<T>(scaled.get(), kCount, kSize, exponents.get(), more.get(), stream),
       "back");
  const auto back = scaled.values();
  for (int k = 0; k < 3 * kSize; ++k) {
    expect(back[k] == host[k] * T(k / kSize == 1 ? 8 : 1), "element");
  }
}

const Topic topic("unit_scale", [] {
  units<float>();
  units<double>();
});

}  // namespace
}  // namespace likewise::cuda::driver

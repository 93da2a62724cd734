#include "rsa/cuda/precision.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

void asymmetry() {
  constexpr int kD = 25;
  std::vector<double> a(kD * kD);
  for (int i = 0; i < kD; ++i) {
    for (int j = 0; j < kD; ++j) a[i * kD + j] = 1e3 * (i + j);
  }
  a[3] += 1e-4;  // as good as symmetric
  const OnDevice<int64_t> found(std::vector<int64_t>{0, 0, 0});
  const auto count = [&](int at) {
    const OnDevice<double> given(a);
    need(count_asymmetric(given.get(), kD, found.get() + at, stream), "asymmetry");
    found.values();
  };
  count(0);
  a[20 * kD + 4] += 1;
  count(1);
  a[24 * kD + 24] = std::nan("");
  count(2);
  expect(found.values() == std::vector<int64_t>({0, 2, 3}), "elements that differ");
}

template <class T>
void differences() {
  constexpr int kCount = 3, kRows = 10, kCols = 11, kSize = kRows * kCols;
  const std::vector<T> x = normal<T>(kCount * kSize);
  const OnDevice<T> given(x);
  const OnDevice<double> out(kCount * kSize);
  need(subtract_first<T>(given.get(), kCount, kRows, kCols, nullptr, 1, out.get(), stream),
       "differences");
  const auto found = out.values();
  bool good = true;
  for (int k = 0; k < kCount * kSize; ++k) {
    good = good && found[k] == double(x[k]) - double(x[k / kSize * kSize + k % kCols]);
  }
  expect(good, "differences from the first sample");
}

template <class T>
void repeats() {
  constexpr int kCount = 2, kRepeats = 3, kSize = 140;
  const std::vector<double> x = normal<double>(kCount * kRepeats * kSize);
  const std::vector<double> of_mean = normal<double>(kCount * kSize);
  const OnDevice<double> given(x), means(kCount * kSize), squares(of_mean), units(kCount);
  const OnDevice<T> across(kCount * kSize);
  need(mean_of_repeats(given.get(), kCount, kRepeats, kSize, means.get(), stream), "means");
  const OnDevice<double> spreads(std::vector<double>{0.3, 0.5, 3, 1});
  need(units_of_spreads(spreads.get(), kCount, 2, units.get(), stream), "units");
  expect(units.values() == std::vector<double>({2, 0.5}), "units of spreads");
  need(across_repeats<T>(given.get(), squares.get(), units.get(), kCount, kRepeats, kSize,
                         across.get(), stream),
       "across");
  const auto found = means.values();
  const auto found_across = across.values();
  bool good = true;
  for (int k = 0; k < kCount * kSize; ++k) {
    double sum = 0;
    for (int r = 0; r < kRepeats; ++r) sum += x[(k / kSize * kRepeats + r) * kSize + k % kSize];
    good = good && std::abs(found[k] - sum / kRepeats) < 1e-15;
    good = good && std::abs(double(found_across[k]) -
                            (9 * of_mean[k] - sum) / 6 * (k < kSize ? 0.25 : 4)) < 4e-6;
  }
  expect(good, "repeats");
}

void all() {
  asymmetry();
  differences<float>();
  differences<double>();
  repeats<float>();
  repeats<double>();
}

const Topic topic("precision", all);

}  // namespace
}  // namespace likewise::cuda::driver

#include "core/cuda/centred.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Items with a large mean, constant, not finite, and of numbers whose squares overflow.
template <class T>
void centre_items(bool center, int cols) {
  constexpr int kCount = 4, kRows = 11, kStill = 33;
  const int size = kRows * cols;
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-12, huge = sizeof(T) == 4 ? 1e30 : 1e300;
  std::vector<T> host = normal<T>(kCount * size);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < cols; ++j) {
      host[i * cols + j] += center ? T(100 * j) : T(0);
      host[size + i * cols + j] = center ? T(j) : T(0);
      host[3 * size + i * cols + j] *= T(huge);
    }
    for (int q = 0; q < kCount; ++q) host[q * size + i * cols + kStill] = center ? T(7) : T(0);
  }
  host[2 * size + 40] = T(std::nan(""));
  const OnDevice<T> x(host), out(host.size());
  const OnDevice<double> unit(kCount), squares(kCount * cols), spreads(kCount * cols);
  const OnDevice<double> norms(kCount);
  const OnDevice<int64_t> constant(kCount);
  const Centred<T> to{out.get(), unit.get(), squares.get(), constant.get(), spreads.get()};
  need(centre<T>(x.get(), kCount, kRows, cols, center, to, stream), "centre");
  const auto centred = out.values();
  const auto units = unit.values(), sums = squares.values();
  need(normalise<T>(to, kCount, kRows, cols, norms.get(), stream), "normalise");
  const auto scaled = out.values();
  const auto lengths = norms.values();
  expect(constant.values() == std::vector<int64_t>({1, cols, 1, 1}), "constant units");
  expect(units[1] == 0 && lengths[1] == 0 && scaled[size + 5] == 0, "constant item");
  expect(std::isnan(centred[2 * size]) && std::isnan(lengths[2]), "item that is not finite");
  for (const int q : {0, 3}) {
    double largest = 0, total = 0, kept = 0;
    expect(std::ldexp(1.0, std::ilogb(units[q])) == units[q], "power of two");
    for (int j = 0; j < cols; ++j) {
      const auto entry = [&](int i) { return double(host[q * size + i * cols + j]) * units[q]; };
      double mean = 0, column = 0;
      for (int i = 0; i < kRows && center; ++i) mean += (entry(i) - entry(0)) / kRows;
      for (int i = 0; i < kRows; ++i) {
        const double first = center ? entry(0) : 0, value = entry(i) - first - mean;
        const double found = double(centred[q * size + i * cols + j]);
        largest = std::max(largest, std::abs(entry(i) - first));
        expect(std::abs(found - value) <= tolerance, "centred element");
        column += found * found;
        kept += std::pow(double(scaled[q * size + i * cols + j]), 2);
      }
      expect(std::abs(sums[q * cols + j] - column) <= 1e-12 * column, "squares of a column");
      total += column;
    }
    expect(largest >= 1 && largest < 2, "scale");
    expect(std::abs(lengths[q] * units[q] / std::sqrt(total) - 1) <= 1e-12, "norm");
    expect(std::abs(kept - 1) <= tolerance, "unit norm");
  }
}

void items() {
  centre_items<float>(true, 40);
  centre_items<double>(false, 40);
  centre_items<double>(true, 270);
}

const Topic topic("centred", items);

}  // namespace
}  // namespace likewise::cuda::driver

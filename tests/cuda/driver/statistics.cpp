#include "units/cuda/statistics.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
struct StatisticsOnDevice {
  StatisticsOnDevice(size_t units, size_t count)
      : mean(units),
        deviation(units),
        active(units),
        spectrum(units),
        spread(std::vector<T>(count)) {}
  UnitStatistics<T> get() const {
    return {mean.get(), deviation.get(), active.get(), spectrum.get(), spread.get()};
  }
  OnDevice<T> mean, deviation, active, spectrum, spread;
};

template <class T>
void moments(int count, int rows, int cols) {
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-13;
  std::vector<T> host = normal<T>(size_t(count) * rows * cols);
  for (T& value : host) value = std::max(value, T(0));
  host[2] = T(std::nan(""));
  const OnDevice<T> x(host);
  const StatisticsOnDevice<T> out(size_t(count) * cols, count);
  const OnDevice<double> negated(size_t(count) * cols);
  need(unit_moments<T>(x.get(), count, rows, cols, out.get(), negated.get(), stream), "moments");
  const auto mean = out.mean.values(), deviation = out.deviation.values();
  const auto active = out.active.values();
  const auto minus = negated.values();
  for (int k = 0; k < count * cols; ++k) {
    const T* const unit = host.data() + size_t(k / cols) * rows * cols + k % cols;
    double sum = 0, squares = 0, busy = 0;
    for (int i = 0; i < rows; ++i) sum += double(unit[i * cols]) / rows;
    for (int i = 0; i < rows; ++i) {
      squares += std::pow(double(unit[i * cols]) - sum, 2) / rows;
      busy += unit[i * cols] != 0;
    }
    expect(std::abs(double(active[k]) - busy / rows) <= tolerance, "share of active samples");
    if (k == 2) {
      expect(std::isnan(mean[k]) && std::isnan(deviation[k]), "moments of NaN");
      expect(std::isnan(minus[k]) && !std::signbit(minus[k]), "NaN that is sorted to the end");
      continue;
    }
    expect(std::abs(double(mean[k]) - sum) <= tolerance, "mean");
    expect(std::abs(minus[k] + sum) <= 1e-13, "mean to be sorted");
    expect(std::abs(double(deviation[k]) - std::sqrt(squares)) <= tolerance, "deviation");
  }
}

// Means with zeros and NaN; none positive; one infinite; all infinite.
template <class T>
void spectra() {
  constexpr int kCount = 4, kCols = 290;
  std::vector<double> host = normal<double>(kCount * kCols);
  std::vector<int32_t> order(host.size());
  std::vector<double> expected;
  for (int item = 0; item < kCount; ++item) {
    double* const values = host.data() + item * kCols;
    for (int k = 0; k < kCols; ++k) {
      if (item == 0 && k % 9 < 2) values[k] = k % 9 == 0 ? 0 : std::nan("");
      if (item == 1) values[k] = std::abs(values[k]);
      if ((item == 2 && k == 5) || item == 3) values[k] = -INFINITY;
    }
    int32_t* const mine = order.data() + item * kCols;
    std::iota(mine, mine + kCols, 0);
    std::stable_sort(mine, mine + kCols, [&](int a, int b) {
      return values[a] < values[b] || (std::isnan(values[b]) && !std::isnan(values[a]));
    });
    double largest = -1, least = INFINITY;
    for (int k = 0; k < kCols; ++k) {
      largest = std::max(largest, -values[k]);
      if (-values[k] > 0) least = std::min(least, -values[k]);
    }
    expected.push_back(std::isfinite(least) ? largest / least : std::nan(""));
  }
  const OnDevice<double> negated(host);
  const OnDevice<int32_t> places(order);
  const StatisticsOnDevice<T> out(host.size(), kCount);
  need(mean_spectra<T>(negated.get(), places.get(), kCount, kCols, out.get(), stream), "spectra");
  const auto spectrum = out.spectrum.values(), spread = out.spread.values();
  for (size_t k = 0; k < host.size(); ++k) {
    const T value = T(-host[k / kCols * kCols + order[k]]);
    expect(std::isnan(value) ? std::isnan(spectrum[k]) : spectrum[k] == value, "spectrum");
  }
  for (int item = 0; item < kCount; ++item) {
    const T value = T(expected[item]);
    expect(std::isnan(value) ? std::isnan(spread[item]) : spread[item] == value, "spread");
  }
}

void statistics() {
  moments<float>(2, 21, 35);
  moments<double>(1, 3, 5);
  spectra<float>();
  spectra<double>();
}

const Topic topic("statistics", statistics);

}  // namespace
}  // namespace likewise::cuda::driver

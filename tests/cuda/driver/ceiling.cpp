#include "rsa/cuda/ceiling.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Three vectors, the second of which has no factor.
template <class S>
void pooled(bool broken) {
  constexpr int kSize = 300, kCount = 3;
  std::vector<S> x;
  for (int k = 0; k < kCount * kSize; ++k) x.push_back(S(int(generator() % 2001) - 1000));
  const std::vector<double> shifts{1, -2, 0.5};
  std::vector<double> factors{0.5, 2, 0.25};
  if (broken) factors[1] = std::nan("");
  const OnDevice<S> data(x);
  const OnDevice<double> shift(shifts), factor(factors), out((kCount + 1) * kSize);
  const bool ranks = std::is_same_v<S, int32_t>;
  need(pool<S>({data.get(), kSize, ranks ? nullptr : shift.get(), factor.get()}, kCount, out.get(),
               stream),
       "pool");
  const auto found = out.values();
  bool good = true;
  for (int item = 0; item <= kCount; ++item) {
    for (int k = 0; k < kSize; ++k) {
      double sum = 0;
      for (int i = 0; i < kCount; ++i) {
        if (i == item) continue;
        sum += ranks ? double(x[i * kSize + k]) : (x[i * kSize + k] - shifts[i]) * factors[i];
      }
      const double mean = sum / (item < kCount ? kCount - 1 : kCount);
      const double value = found[item * kSize + k];
      good = good && (broken ? std::isnan(value) : std::abs(value - mean) < 1e-11);
    }
  }
  expect(good, "pooled vectors");
}

// Items of which the first has a constant column, one of equal repeats and, if there is room, one
// that knows nothing; the second has NaN.
template <class T>
void ceilings(int repeats, int rows, int cols) {
  const int size = repeats * rows * cols;
  std::vector<T> x = normal<T>(2 * size);
  for (int k = 0; k < size; ++k) {
    const int row = k / cols % rows, column = k % cols;
    x[k] = column == 0 ? T(0.1) : column == 1 ? T(row) : x[k] + T(row % 5) / T(column);
  }
  x[size + 5 * cols + 3] = std::numeric_limits<T>::quiet_NaN();
  const OnDevice<T> given(x), out(2 * cols);
  need(noise_ceilings<T>(given.get(), 2, repeats, rows, cols, out.get(), stream), "ceilings");
  const auto found = out.values();
  bool good = true;
  for (int at = 0; at < 2 * cols; ++at) {
    const T* const from = x.data() + at / cols * size + at % cols;
    std::vector<double> means(static_cast<size_t>(rows));
    double centre = 0, within = 0, between = 0;
    for (int k = 0; k < repeats * rows; ++k) means[k % rows] += double(from[k * cols]) / repeats;
    for (const double mean : means) centre += mean / rows;
    for (int k = 0; k < repeats * rows; ++k) {
      within += std::pow(double(from[k * cols]) - means[k % rows], 2) / rows / (repeats - 1);
    }
    for (const double mean : means) between += std::pow(mean - centre, 2) * repeats / (rows - 1);
    const double expected = at == 0 ? 0 : std::sqrt(std::max(0.0, (between - within) / between));
    const double value = double(found[at]);
    good = good && (at == cols + 3 ? std::isnan(value) : std::abs(value - expected) < 1e-6);
  }
  expect(good, "ceilings");
}

void all() {
  pooled<double>(false);
  pooled<double>(true);
  pooled<int32_t>(false);
  pooled<int32_t>(true);
  ceilings<float>(3, 21, 40);
  ceilings<double>(2, 9, 5);
}

const Topic topic("ceiling", all);

}  // namespace
}  // namespace likewise::cuda::driver

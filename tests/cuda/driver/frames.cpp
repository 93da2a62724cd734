#include "moments/cuda/frames.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

double power_above(double size) {
  if (size == 0) return kLeastUnit;
  int exponent;
  std::frexp(size, &exponent);
  return std::isfinite(size) ? std::ldexp(1.0, std::clamp(exponent, -1000, 1000)) : 1;
}

// Means and units of one item, far from zero or of any size; its first column is constant.
template <class T>
void one_item(int rows, int cols, double mean, double size, double before) {
  std::vector<T> x = normal<T>(size_t(rows * cols));
  for (size_t k = 0; k < x.size(); ++k)
    x[k] = T(k % cols ? (mean + double(x[k])) * size : 0.1 * size);
  std::vector<double> expected(cols);
  double largest = 0;
  for (int j = 0; j < cols; ++j) {
    double mean_of_rest = 0;
    for (int i = 0; i < rows; ++i) mean_of_rest += (double(x[i * cols + j]) - double(x[j])) / rows;
    expected[j] = double(x[j]) + mean_of_rest;
  }
  const OnDevice<T> there(x);
  const OnDevice<double> shift(std::vector<double>(size_t(cols) + 1, -7.0)),
      work(shift.values().size());
  need(column_means<T>(there.get(), rows, cols, shift.get(), stream), "means");
  const auto means = shift.values();
  expect(means[cols] == -7, "means end");
  expect(means[0] == double(x[0]), "mean of equal values");
  for (int j = 0; j < cols; ++j) {
    expect(std::abs(means[j] - expected[j]) <= 1e-14 * std::abs(expected[j]) + 1e-300, "mean");
    for (int i = 0; i < rows; ++i) {
      largest = std::max(largest, std::abs(double(x[i * cols + j]) - means[j]));
    }
  }
  const OnDevice<double> unit(std::vector<double>{before}), ratio(1);
  need(grow_unit<T>(there.get(), rows, cols, {shift.get(), work.get(), unit.get(), ratio.get()},
                    stream),
       "unit");
  const double now = std::max(before, power_above(largest));
  expect(unit.values()[0] == now, "unit");
  expect(ratio.values()[0] == before / now, "ratio of units");
}

// What is not a number has a unit as well.
void not_finite() {
  for (const double wrong : {double(NAN), double(INFINITY)}) {
    const OnDevice<double> x(std::vector<double>{1, wrong, 3, 4}), shift(std::vector<double>{0, 0});
    const OnDevice<double> work(2), unit(std::vector<double>{0.5}), ratio(1);
    need(grow_unit<double>(x.get(), 2, 2, {shift.get(), work.get(), unit.get(), ratio.get()},
                           stream),
         "unit");
    expect(unit.values()[0] == 1 && ratio.values()[0] == 0.5, "unit of what is not finite");
  }
}

// What sums of items of these widths become when their units grow.
void growth(const std::vector<int>& cols) {
  std::vector<int32_t> starts{int32_t(1 + cols.size())};
  std::vector<double> ratio, expected{1};
  for (size_t k = 0; k < cols.size(); ++k) {
    starts.push_back(starts.back() + cols[k]);
    ratio.push_back(std::ldexp(1.0, -int(k % 4)));
    expected.push_back(ratio.back() * ratio.back());
  }
  for (size_t k = 0; k < cols.size(); ++k)
    expected.insert(expected.end(), size_t(cols[k]), ratio[k]);
  const OnDevice<int32_t> starts_there(starts);
  const OnDevice<double> ratio_there(ratio), out(expected.size());
  const int64_t width = int64_t(expected.size());
  need(growth_of({starts_there.get(), int64_t(cols.size())}, ratio_there.get(), width, out.get(),
                 stream),
       "growth");
  expect(out.values() == expected, "growth of columns");
  const std::vector<double> before = normal<double>(3 * expected.size());
  const OnDevice<double> sums(before), rows(std::vector<double>{1, 0.5, 2});
  need(grow_sums(sums.get(), 3, width, rows.get(), out.get(), stream), "grow");
  const auto found = sums.values();
  for (size_t k = 0; k < found.size(); ++k) {
    const double by = (k < expected.size() ? 1 : k < 2 * expected.size() ? 0.5 : 2);
    expect(found[k] == before[k] * (by * expected[k % expected.size()]), "grown sum");
  }
}

// What is divided by a unit.
void units() {
  const std::vector<float> x = normal<float>(300);
  const OnDevice<float> there(x), out(x.size());
  const OnDevice<double> unit(std::vector<double>{0x1p100});
  need(divide_by_unit<float>(there.get(), 300, unit.get(), out.get(), stream), "divide");
  const auto divided = out.values();
  for (size_t k = 0; k < x.size(); ++k) expect(divided[k] == x[k] * 0x1p-100f, "quotient");
}

void frames() {
  one_item<double>(9, 3, 0, 1, kLeastUnit);
  one_item<double>(70, 40, 1e6, 1, 0.5);
  one_item<float>(70, 40, 1e3, 1, 1024);
  one_item<double>(5, 300, 1e3, 1e150, 1);
  one_item<double>(5, 2, 1e3, 1e-150, kLeastUnit);
  one_item<double>(1, 2, 1, 1, kLeastUnit);  // no deviation
  not_finite();
  units();
  growth({3});
  growth({40, 1, 3});
  growth(std::vector<int>(1100, 1));  // more items than a launch has blocks
}

const Topic topic("frames", frames);

}  // namespace
}  // namespace likewise::cuda::driver

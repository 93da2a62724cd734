#include "moments/cuda/frames.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

bool near(double found, double expected) {
  return std::abs(found - expected) <= 1e-12 * (1 + std::abs(expected));
}

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

// Augmented samples of items measured from a shift, in units, and their sums.
struct Measured {
  std::vector<int> cols;
  std::vector<int32_t> starts;
  std::vector<double> shift, unit;

  Measured(const std::vector<int>& cols, double unit_base)
      : cols(cols), starts{int32_t(1 + cols.size())} {
    for (size_t k = 0; k < cols.size(); ++k) {
      starts.push_back(starts.back() + cols[k]);
      unit.push_back(std::pow(unit_base, double(k % 5) - 1));
    }
    shift = normal<double>(size_t(starts.back() - starts[0]));
  }
  std::vector<double> augmented(const double* x) const {
    std::vector<double> out(size_t(starts.back()));
    out[0] = 1;
    for (size_t k = 0; k < cols.size(); ++k) {
      for (int j = starts[k]; j < starts[k + 1]; ++j) {
        const int column = j - starts[0];
        out[size_t(j)] = (x[column] - shift[size_t(column)]) / unit[k];
        out[1 + k] += out[size_t(j)] * out[size_t(j)];
      }
    }
    return out;
  }
};

constexpr int kSamples = 7;

std::vector<double> sums_of(const Measured& a, const std::vector<double>& x, const Measured& b,
                            const std::vector<double>& y) {
  std::vector<double> out(size_t(a.starts.back()) * size_t(b.starts.back()));
  for (int r = 0; r < kSamples; ++r) {
    const auto left = a.augmented(&x[r * a.shift.size()]);
    const auto right = b.augmented(&y[r * b.shift.size()]);
    for (size_t k = 0; k < out.size(); ++k) {
      out[k] += left[k / right.size()] * right[k % right.size()];
    }
  }
  return out;
}

// Two frames meet, and sums follow: those of the second get another shift, those of the first
// other units.
struct Meeting {
  OnDevice<int32_t> starts;
  OnDevice<double> shift, unit, other_shift, other_unit, ratio, other_ratio, step;
  SumsSide items;
  Measured met;

  Meeting(const Measured& first, const Measured& second)
      : starts(first.starts),
        shift(first.shift),
        unit(first.unit),
        other_shift(second.shift),
        other_unit(second.unit),
        ratio(first.unit.size()),
        other_ratio(first.unit.size()),
        step(first.shift.size()),
        items{starts.get(), int64_t(first.unit.size())},
        met(first) {
    need(meet_frames({{shift.get(), unit.get()},
                      {other_shift.get(), other_unit.get()},
                      items,
                      unit.get(),
                      ratio.get(),
                      other_ratio.get(),
                      step.get()},
                     stream),
         "meet");
    met.unit = unit.values();
    for (size_t k = 0; k < met.unit.size(); ++k) {
      double apart = 0;
      for (int j = first.starts[k] - first.starts[0]; j < first.starts[k + 1] - first.starts[0];
           ++j) {
        apart = std::max(apart, std::abs(first.shift[size_t(j)] - second.shift[size_t(j)]));
      }
      const double expected = std::max({first.unit[k], second.unit[k], power_above(apart)});
      expect(met.unit[k] == expected, "unit of both");
    }
  }
  MovedSide of_first() const { return {items, {ratio.get(), nullptr}}; }
  MovedSide of_second() const { return {items, {other_ratio.get(), step.get()}}; }
};

void moves(const std::vector<int>& cols_x, const std::vector<int>& cols_y) {
  const Measured x1(cols_x, 2.0), x2(cols_x, 0.25), y1(cols_y, 0.5), y2(cols_y, 4.0);
  const Meeting x(x1, x2), y(y1, y2);
  const auto samples_x = normal<double>(kSamples * x1.shift.size());
  const auto samples_y = normal<double>(kSamples * y1.shift.size());
  const auto expected = sums_of(x.met, samples_x, y.met, samples_y);
  for (const bool first : {true, false}) {
    const auto& [a, b] = first ? std::tie(x1, y1) : std::tie(x2, y2);
    const OnDevice<double> sums(sums_of(a, samples_x, b, samples_y));
    need(move_sums(sums.get(), a.starts.back(), b.starts.back(),
                   first ? x.of_first() : x.of_second(), first ? y.of_first() : y.of_second(),
                   stream),
         "move");
    const auto found = sums.values();
    for (size_t k = 0; k < found.size(); ++k) expect(near(found[k], expected[k]), "moved sum");
  }
}

// What is divided by a unit, and products that are scaled by units of both sides or of one.
void units() {
  const std::vector<float> x = normal<float>(300);
  const OnDevice<float> there(x), out(x.size());
  const OnDevice<double> unit(std::vector<double>{0x1p100});
  need(divide_by_unit<float>(there.get(), 300, unit.get(), out.get(), stream), "divide");
  const auto divided = out.values();
  for (size_t k = 0; k < x.size(); ++k) expect(divided[k] == x[k] * 0x1p-100f, "quotient");
  const std::vector<double> products = normal<double>(20 * 30), rows = normal<double>(20),
                            cols = normal<double>(30);
  const OnDevice<double> by_rows(rows), by_cols(cols);
  for (const int sides : {0, 1, 2, 3}) {
    const OnDevice<double> scaled(products);
    need(scale_products(scaled.get(), 20, 30, sides & 1 ? by_rows.get() : nullptr,
                        sides & 2 ? by_cols.get() : nullptr, stream),
         "scale");
    const auto found = scaled.values();
    for (size_t k = 0; k < found.size(); ++k) {
      const double by = (sides & 1 ? rows[k / 30] : 1) * (sides & 2 ? cols[k % 30] : 1);
      expect(near(found[k], products[k] * by * by), "scaled product");
    }
  }
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
  moves({3}, {2, 5});
  moves({40, 1, 3}, {70, 4});
  moves(std::vector<int>(1100, 1), {1});  // more items than a launch has blocks
  moves({1}, std::vector<int>(300, 1));
}

const Topic topic("frames", frames);

}  // namespace
}  // namespace likewise::cuda::driver

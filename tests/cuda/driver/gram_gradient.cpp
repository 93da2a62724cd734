#include "kernels/cuda/gram_gradient.h"

#include "driver.h"
#include "hsic.h"
#include "kernels/cuda/gradient.h"

namespace likewise::cuda::driver {
namespace {

using likewise::HsicEstimator;
using likewise::KernelFunction;
using likewise::KernelOptions;

double score(const std::vector<double>& x, int dx, const std::vector<double>& y, int dy, int rows,
             const KernelOptions& options) {
  const bool unbiased = options.estimator == HsicEstimator::unbiased;
  const auto k = kernel_matrix(x, rows, dx, options), l = kernel_matrix(y, rows, dy, options);
  const double value = hsic(k, l, rows, unbiased);
  if (!options.normalize) return value;
  return value / std::sqrt(hsic(k, k, rows, unbiased) * hsic(l, l, rows, unbiased));
}

// By differences of scores.
std::vector<double> differences(std::vector<double> x, int dx, const std::vector<double>& y, int dy,
                                int rows, const KernelOptions& options) {
  constexpr double kStep = 1e-5;
  std::vector<double> out;
  for (double& value : x) {
    const double there = value;
    value = there + kStep;
    const double above = score(x, dx, y, dy, rows, options);
    value = there - kStep;
    out.push_back((above - score(x, dx, y, dy, rows, options)) / (2 * kStep));
    value = there;
  }
  return out;
}

void require_near(const std::vector<double>& found, const std::vector<double>& wanted,
                  double tolerance, const char* what) {
  double largest = 0, error = 0;
  for (size_t k = 0; k < wanted.size(); ++k) {
    largest = std::max(largest, std::abs(wanted[k]));
    error = std::max(error, std::abs(found[k] - wanted[k]));
    if (std::isnan(found[k])) error = std::numeric_limits<double>::infinity();
  }
  expect(error <= tolerance * largest, what);
}

// Two pairs of related representations far from zero, and each side alone.
template <class T>
void gradients(int rows, const KernelOptions& options) {
  constexpr int kPairs = 2, kX = 2, kY = 3;
  constexpr double kTolerance = sizeof(T) == 4 ? 2e-6 : 2e-8;
  std::vector<T> x = normal<T>(size_t(kPairs) * rows * kX);
  std::vector<T> y = normal<T>(size_t(kPairs) * rows * kY);
  for (int i = 0; i < kPairs * rows; ++i) {
    y[size_t(i) * kY] += x[size_t(i) * kX];
    x[size_t(i) * kX + 1] += T(3);
  }
  const OnDevice<T> there_x(x), there_y(y), by_x(x.size()), by_y(y.size());
  const OnDevice<T> alone_x(x.size()), alone_y(y.size());
  Call call;
  const Matrix<T> side_x{there_x.get(), kX}, side_y{there_y.get(), kY};
  kernel_gradients<T>(call.context(), side_x, side_y, kPairs, rows, options, by_x.get(),
                      by_y.get());
  for (int k = 0; k < kPairs; ++k) {
    const auto item = [&](const std::vector<T>& all, int cols) {
      const auto begin = all.begin() + std::ptrdiff_t(k) * rows * cols;
      return std::vector<double>(begin, begin + rows * cols);
    };
    const auto a = item(x, kX), b = item(y, kY);
    require_near(item(by_x.values(), kX), differences(a, kX, b, kY, rows, options), kTolerance,
                 "by x");
    require_near(item(by_y.values(), kY), differences(b, kY, a, kX, rows, options), kTolerance,
                 "by y");
  }
  if (rows > 8) return;
  kernel_gradients<T>(call.context(), side_x, side_y, 1, rows, options, alone_x.get(), nullptr);
  kernel_gradients<T>(call.context(), side_x, side_y, 1, rows, options, nullptr, alone_y.get());
  const size_t size_x = size_t(rows) * kX, size_y = size_t(rows) * kY;
  const auto both_x = by_x.values(), both_y = by_y.values();
  expect(
      std::equal(both_x.begin(), both_x.begin() + std::ptrdiff_t(size_x), alone_x.values().begin()),
      "x alone");
  expect(
      std::equal(both_y.begin(), both_y.begin() + std::ptrdiff_t(size_y), alone_y.values().begin()),
      "y alone");
}

// Constant samples, no median distance, what is not a number: no gradient on either side.
void nothing_to_differentiate() {
  constexpr int kRows = 6;
  const std::vector<double> good = normal<double>(kRows * 2);
  std::vector<double> constant(kRows * 2, 3.0), stuck = constant, missing = good;
  stuck[0] = 1;
  missing[3] = NAN;
  KernelOptions options;
  options.function = KernelFunction::rbf;
  const OnDevice<double> other(good), by_x(good.size()), by_y(good.size());
  Call call;
  for (const auto& values : {constant, stuck, missing}) {
    const OnDevice<double> bad(values);
    kernel_gradients<double>(call.context(), {bad.get(), 2}, {other.get(), 2}, 1, kRows, options,
                             by_x.get(), by_y.get());
    for (const auto& side : {by_x.values(), by_y.values()}) {
      const auto is_nan = [](double value) { return std::isnan(value); };
      expect(std::all_of(side.begin(), side.end(), is_nan), "NaN without a score");
    }
  }
  // An unbiased linear HSIC with itself below rounding: equal samples but one.
  options.function = KernelFunction::linear;
  options.estimator = HsicEstimator::unbiased;
  const OnDevice<double> one(stuck);
  kernel_gradients<double>(call.context(), {one.get(), 2}, {other.get(), 2}, 1, kRows, options,
                           by_x.get(), nullptr);
  expect(std::isnan(by_x.values()[0]), "NaN for a projection that is rounding");
}

// Without a norm to divide by; and a kernel that a constant is added to, which no projection sees.
void no_gradient_of_hsic_and_of_constants() {
  constexpr int kRows = 8;
  const std::vector<double> good = normal<double>(kRows * 2), more = normal<double>(kRows * 2);
  const OnDevice<double> constant(std::vector<double>(kRows * 2, 3.0)), other(good), third(more);
  const OnDevice<double> by_x(good.size()), by_y(good.size());
  Call call;
  KernelOptions options;
  options.normalize = false;
  for (const bool swapped : {false, true}) {
    const Matrix<double> a{constant.get(), 2}, b{other.get(), 2};
    kernel_gradients<double>(call.context(), swapped ? b : a, swapped ? a : b, 1, kRows, options,
                             by_x.get(), by_y.get());
    expect(std::isnan(by_x.values()[0]) && std::isnan(by_y.values()[0]), "HSIC of a constant item");
  }
  options.normalize = true;
  options.function = KernelFunction::polynomial;
  options.degree = 1;
  options.gamma = 1;
  std::vector<double> first;
  for (const double coef0 : {0.0, 1e30}) {
    options.coef0 = coef0;
    kernel_gradients<double>(call.context(), {other.get(), 2}, {third.get(), 2}, 1, kRows, options,
                             by_x.get(), nullptr);
    if (first.empty()) first = by_x.values();
    require_near(by_x.values(), first, 1e-12, "a constant added to a kernel");
  }
}

// Squared distances of which several are the middle ones; rows of two launches.
template <class T>
void first_pairs() {
  constexpr int kRows = 40;
  std::vector<T> values(kRows * kRows, T(7));
  for (const int at : {9 * kRows + 8, 36 * kRows + 35, 20 * kRows + 3}) values[at] = T(0.5);
  for (const int at : {36 * kRows + 34, 30 * kRows + 29}) values[at] = T(0.25);
  for (const int at : {5 * kRows + 6, 4 * kRows + 4}) values[at] = T(0.5);  // of no pair q < p
  const OnDevice<T> there(values);
  const OnDevice<double> middle(std::vector<double>{0.25, 0.5});
  const OnDevice<unsigned long long> pairs(std::vector<unsigned long long>(2, ~0ull));
  need(find_pairs<T>(there.get() + 25 * kRows, kRows, 25, 15, middle.get(), pairs.get(), stream),
       "pairs");
  need(find_pairs<T>(there.get(), kRows, 0, 25, middle.get(), pairs.get(), stream), "pairs");
  expect(pairs.values()[0] == 30 * kRows + 29, "the first pair at the lower distance");
  expect(pairs.values()[1] == 9 * kRows + 8, "the first pair at the upper distance");
}

void gram_gradients() {
  KernelOptions options;
  gradients<double>(33, options);  // linear, more than a warp
  options.estimator = HsicEstimator::unbiased;
  gradients<float>(8, options);
  options.normalize = false;
  gradients<double>(8, options);
  options.function = KernelFunction::polynomial;
  options.degree = 2;
  gradients<double>(8, options);
  options.estimator = HsicEstimator::biased;
  options.function = KernelFunction::rbf;
  gradients<double>(8, options);  // an even number of pairs
  gradients<double>(7, options);  // an odd one
  options.normalize = true;
  gradients<float>(7, options);
  options.median = false;
  options.bandwidth = 1.5;
  gradients<double>(33, options);
  nothing_to_differentiate();
  no_gradient_of_hsic_and_of_constants();
  first_pairs<float>();
  first_pairs<double>();
}

const Topic topic("gram_gradient", gram_gradients);

}  // namespace
}  // namespace likewise::cuda::driver

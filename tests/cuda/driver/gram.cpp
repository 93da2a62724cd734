#include "kernels/cuda/gram.h"

#include "driver.h"
#include "hsic.h"
#include "kernels/cuda/kernels.h"

namespace likewise::cuda::driver {
namespace {

using likewise::HsicEstimator;
using likewise::KernelFunction;
using likewise::KernelOptions;

constexpr int kRows = 8;

// Items far from zero, of another width, constant, of equal samples but one; all pairs, and pairs.
template <class T>
void scores_of_kernels(const KernelOptions& options, bool symmetric) {
  const bool unbiased = options.estimator == HsicEstimator::unbiased;
  const std::vector<int> cols{3, 9, 3, 3};
  std::vector<std::vector<T>> host;
  for (const int width : cols) host.push_back(normal<T>(size_t(kRows) * width));
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < 3; ++j) {
      host[2][i * 3 + j] = T(j);
      host[3][i * 3 + j] = T(i == 4 ? j + 1 : 0);
      host[0][i * 3 + j] = T(1000 + 8 * host[0][i * 3 + j]);
    }
  }
  const bool stuck = options.function == KernelFunction::rbf && options.median;
  const int count = int(cols.size());
  std::vector<std::unique_ptr<OnDevice<T>>> arrays;
  std::vector<Matrix<T>> items;
  std::vector<std::vector<double>> matrices;
  for (int k = 0; k < count; ++k) {
    arrays.push_back(std::make_unique<OnDevice<T>>(host[k]));
    items.push_back({arrays[k]->get(), cols[k]});
    const std::vector<double> exact(host[k].begin(), host[k].end());
    matrices.push_back(kernel_matrix(exact, kRows, cols[k], options));
  }
  const auto expected = [&](int i, int j) {
    if (i == 2 || j == 2 || (stuck && (i == 3 || j == 3))) return std::nan("");
    const double value = hsic(matrices[i], matrices[j], kRows, unbiased);
    if (!options.normalize) return value;
    const double own_i = hsic(matrices[i], matrices[i], kRows, unbiased);
    const double own_j = hsic(matrices[j], matrices[j], kRows, unbiased);
    return value / std::sqrt(own_i * own_j);
  };
  const auto agrees = [&](double found, double wanted) {
    if (std::isnan(wanted)) return std::isnan(found);
    return std::abs(found - wanted) <= (sizeof(T) == 4 ? 2e-4 : 1e-9) * (1 + std::abs(wanted));
  };
  const auto code = [&](int k) -> int64_t { return k == 2 ? 1 : k == 3 && stuck ? 2 : 0; };
  Call call;
  const Context context = call.context();
  const OnDevice<double> scores(size_t(count * count));
  const OnDevice<int64_t> status(size_t(2 * count)), constant(size_t(2 * count));
  kernel_scores<T>(context, items, symmetric ? std::vector<Matrix<T>>{} : items, kRows, symmetric,
                   options, {scores.get(), status.get(), constant.get()});
  const auto found = scores.values();
  const auto codes = status.values(), constants = constant.values();
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < count; ++j) {
      expect(agrees(found[i * count + j], expected(i, j)), "kernel score");
    }
    for (const int at : {i, count + i}) {
      if (at >= count && symmetric) continue;
      expect(constants[at] == (i == 2 ? 3 : 0), "constant units");
      expect(codes[at] == code(i), "status");
    }
  }
  std::vector<T> x = host[0], y = host[3];
  x.insert(x.end(), host[3].begin(), host[3].end());
  y.insert(y.end(), host[0].begin(), host[0].end());
  const OnDevice<T> first(x), second(y);
  kernel_pairs<T>(context, {first.get(), 3}, {second.get(), 3}, 2, kRows, options,
                  {scores.get(), status.get(), constant.get()});
  const auto pairs = scores.values();
  expect(agrees(pairs[0], expected(0, 3)) && agrees(pairs[1], expected(3, 0)), "score of a pair");
  expect(status.values()[1] == code(3) && status.values()[0] == 0, "status of a pair");
}

// Two samples far from the others, which are equal: the unbiased HSIC with itself is below zero.
void nothing_positive() {
  std::vector<double> host(size_t(kRows) * 2, 1.0);
  host[0] = 5;
  const OnDevice<double> x(host);
  KernelOptions options;
  options.estimator = HsicEstimator::unbiased;
  Call call;
  const OnDevice<double> score(1);
  const OnDevice<int64_t> status(1), constant(1);
  kernel_scores<double>(call.context(), {{x.get(), 2}}, {}, kRows, true, options,
                        {score.get(), status.get(), constant.get()});
  const std::vector<double> exact = kernel_matrix(host, kRows, 2, options);
  const bool positive = hsic(exact, exact, kRows, true) > 1e-12;
  expect(status.values()[0] == (positive ? 0 : 3), "status of what is not positive");
  expect(std::isnan(score.values()[0]) == !positive, "score of what is not positive");
}

// The parameters of an item of 40 columns, and kernel values less what they say.
void shifted_values() {
  constexpr int kCols = 40, kSamples = 6;
  const std::vector<double> lengths{3, 4, 5, 6, 7, 8};
  const double norms = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  const std::vector<double> given = normal<double>(size_t(kSamples) * kCols);
  const OnDevice<double> unit(std::vector<double>{0.25}), samples(lengths), x(given);
  const OnDevice<double> middle(std::vector<double>{4, 9});
  const auto described = [&](const GramOptions& options) {
    const OnDevice<GramItem> item(1);
    need(describe_item({x.get(), unit.get(), samples.get(), options.median ? middle.get() : nullptr,
                        kSamples, kCols},
                       options, item.get(), stream),
         "describe");
    return item.values()[0];
  };
  const GramOptions fixed_options{GramFunction::rbf, false, true, false, 12, 0, 0, 0};
  const GramItem fixed = described(fixed_options);
  expect(std::abs(fixed.factor + 1.0 / 18) < 1e-15, "factor of a fixed bandwidth");
  expect(std::abs(fixed.shift - std::expm1(-norms / 45)) < 1e-12, "shift of a fixed bandwidth");
  const GramItem median = described({GramFunction::rbf, false, true, true, 2, 0, 0, 0});
  expect(std::abs(median.factor + 1.0 / 50) < 1e-15, "factor of a median bandwidth");
  const GramItem linear = described({GramFunction::linear, false, true, false, 0, 0, 0, 0});
  expect(linear.exponent == 4, "units of the linear kernel");
  for (const double size : {1.0, 1e-30}) {
    GramOptions options{GramFunction::polynomial, false, true, false, 0, 2 * size, size, 3};
    const GramItem cubic = described(options);
    expect(cubic.coef0 <= 1 && cubic.factor * 8 <= 1, "a kernel within 1");
    expect(std::abs(cubic.origin + norms / 30) < 1e-12, "origin of a polynomial");
    // (gamma p + coef0)^3 less the same at the origin, for p in units of 1 / 16.
    const auto cube = [&](double p) { return std::pow(16 * size * p + 2 * size, 3); };
    const std::vector<double> products = normal<double>(kSamples);
    const OnDevice<double> values(products), sums(kSamples), all(kSamples);
    const OnDevice<GramItem> item(std::vector<GramItem>{cubic});
    need(apply_kernel<double>({values.get(), item.get(), samples.get(), sums.get(), all.get(), 1,
                               kSamples, kSamples, 3, 1},
                              options, stream),
         "kernel");
    for (int j = 0; j < kSamples; ++j) {
      const double wanted = cube(products[j]) - cube(cubic.origin);
      const double found = std::ldexp(values.values()[j], int(cubic.exponent));
      expect(std::abs(found - wanted) <= 1e-13 * std::abs(cube(8)), "value of a polynomial");
    }
  }

  // Small distances come from the samples: those of 0 and 3 are near each other.
  std::vector<double> near = given;
  for (int j = 0; j < kCols; ++j) near[3 * kCols + j] = near[j] + 1e-3;
  const OnDevice<double> near_x(near);
  GramItem sharp = fixed;
  sharp.factor = -50;
  sharp.samples = near_x.get();
  const std::vector<double> products = normal<double>(2 * kSamples);
  const OnDevice<double> values(products), sums(kSamples), all(kSamples);
  const OnDevice<GramItem> item(std::vector<GramItem>{sharp});
  need(apply_kernel<double>({values.get(), item.get(), samples.get(), sums.get(), all.get(), 1,
                             2 * kSamples, kSamples, 3, 2},
                            fixed_options, stream),
       "kernel");
  const auto found = values.values();
  for (int r = 0; r < 2; ++r) {
    double sum = 0, total = 0;
    for (int j = 0; j < kSamples; ++j) {
      const int row = 3 + r;
      double square = lengths[row] + lengths[j] - 2 * products[r * kSamples + j];
      const double size = 50 * (lengths[row] + lengths[j]);
      if (square < std::log(size / 8) / 50) {
        square = 0;
        for (int c = 0; c < kCols; ++c) {
          square += std::pow((near[row * kCols + c] - near[j * kCols + c]) / 4, 2);
        }
      }
      const double value = std::expm1(-50 * (j == row ? 0 : square)) - sharp.shift;
      expect(std::abs(found[r * kSamples + j] - value) < 1e-13, "kernel value");
      sum += value, total += value * value;
    }
    expect(std::abs(sums.values()[3 + r] - sum) < 1e-12, "row sum");
    expect(std::abs(all.values()[3 + r] - total) < 1e-12, "sum of squares");
  }
}

// Scores of samples a thousand deviations apart, and of one beside which all others vanish.
template <class T>
void hard_numbers(const KernelOptions& options, double tolerance) {
  constexpr int kCols = 2;
  const bool unbiased = options.estimator == HsicEstimator::unbiased;
  std::vector<T> x = normal<T>(kRows * kCols), y = normal<T>(kRows * kCols);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kCols; ++j) {
      y[i * kCols + j] += x[i * kCols + j];
      x[i * kCols + j] += T(i < 6 ? 0 : 4096);
      if (i == 3) y[i * kCols + j] *= T(1024);
    }
  }
  const OnDevice<T> a(x), b(y);
  const OnDevice<double> score(1);
  const OnDevice<int64_t> status(2), constant(2);
  Call call;
  kernel_pairs<T>(call.context(), {a.get(), kCols}, {b.get(), kCols}, 1, kRows, options,
                  {score.get(), status.get(), constant.get()});
  const std::vector<double> exact_x(x.begin(), x.end()), exact_y(y.begin(), y.end());
  const auto k = kernel_matrix(exact_x, kRows, kCols, options);
  const auto l = kernel_matrix(exact_y, kRows, kCols, options);
  const double wanted = hsic(k, l, kRows, unbiased) /
                        std::sqrt(hsic(k, k, kRows, unbiased) * hsic(l, l, kRows, unbiased));
  expect(std::abs(score.values()[0] - wanted) < tolerance, "score of hard numbers");
}

// HSIC beyond the numbers of its type.
template <class T>
void beyond_all_numbers() {
  const T size = sizeof(T) == 4 ? T(1e12) : T(1e90);
  std::vector<T> x = normal<T>(kRows * 2), y = x;
  for (T& value : x) value *= size;
  const OnDevice<T> a(x), b(y);
  KernelOptions options;
  options.normalize = false;
  const OnDevice<double> scores(9);
  const OnDevice<int64_t> status(3), constant(3);
  Call call;
  kernel_scores<T>(call.context(), {{b.get(), 2}, {a.get(), 2}, {b.get(), 2}}, {}, kRows, true,
                   options, {scores.get(), status.get(), constant.get()});
  expect(std::isinf(scores.values()[4]) && std::isfinite(scores.values()[2]), "infinite HSIC");
  expect(status.values() == std::vector<int64_t>({0, 4, 0}), "status of an infinite HSIC");
}

// Rows longer than a block of threads.
template <class T>
void long_rows() {
  constexpr int kLong = 600;
  const std::vector<T> x = normal<T>(2 * kLong), y = normal<T>(2 * kLong);
  const OnDevice<T> a(x), b(y);
  const OnDevice<double> products(std::vector<double>(2 * kLong, -1.0)), norms(2);
  need(row_products<T>(a.get(), b.get(), 2, kLong, kLong, 5, 1, products.get(), stream), "rows");
  need(row_norms<T>(a.get(), 2, kLong, norms.get(), stream), "norms");
  for (int q = 0; q < 2; ++q) {
    double product = 0, squares = 0;
    for (int k = 0; k < kLong; ++k) {
      product += double(x[q * kLong + k]) * double(y[q * kLong + k]);
      squares += double(x[q * kLong + k]) * double(x[q * kLong + k]);
    }
    expect(std::abs(products.values()[q * kLong + 5] - product) <= 1e-10, "product of rows");
    expect(std::abs(norms.values()[q] - squares) <= 1e-10, "norm of a row");
  }
}

void kernels() {
  KernelOptions options;
  options.normalize = false;
  scores_of_kernels<double>(options, false);
  options.normalize = true;
  options.estimator = HsicEstimator::unbiased;
  options.function = KernelFunction::rbf;
  scores_of_kernels<float>(options, true);
  options.normalize = false;
  options.median = false;
  options.bandwidth = 1.5;
  scores_of_kernels<float>(options, true);
  options.function = KernelFunction::polynomial;
  options.estimator = HsicEstimator::biased;
  scores_of_kernels<double>(options, false);
  nothing_positive();
  shifted_values();
  options.normalize = true;
  options.function = KernelFunction::polynomial;
  options.estimator = HsicEstimator::unbiased;
  hard_numbers<double>(options, 1e-9);
  options.function = KernelFunction::linear;
  hard_numbers<double>(options, 1e-9);
  options.function = KernelFunction::rbf;
  options.median = true;
  hard_numbers<float>(options, 1e-5);
  hard_numbers<double>(options, 1e-9);
  beyond_all_numbers<float>();
  beyond_all_numbers<double>();
  long_rows<float>();
  long_rows<double>();
}

const Topic topic("gram", kernels);

}  // namespace
}  // namespace likewise::cuda::driver

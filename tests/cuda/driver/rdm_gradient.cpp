#include "rsa/cuda/rdm_gradient.h"

#include "driver.h"
#include "rsa/cuda/gradient.h"

namespace likewise::cuda::driver {
namespace {

using likewise::Dissimilarity;
using Values = std::vector<double>;

// The square RDM of x (rows x cols), as its definition says.
Values square_rdm(Values x, int rows, int cols, Dissimilarity dissimilarity) {
  for (int i = 0; i < rows && dissimilarity == Dissimilarity::correlation; ++i) {
    const auto row = x.begin() + std::ptrdiff_t(i) * cols;
    const double mean = std::accumulate(row, row + cols, 0.0) / cols;
    std::for_each(row, row + cols, [&](double& value) { value -= mean; });
  }
  const auto product = [&](int i, int j) {
    const auto row = x.begin() + std::ptrdiff_t(i) * cols;
    return std::inner_product(row, row + cols, x.begin() + std::ptrdiff_t(j) * cols, 0.0);
  };
  Values out(size_t(rows) * rows);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < rows; ++j) {
      if (i == j) continue;
      const double square = product(i, i) + product(j, j) - 2 * product(i, j);
      const double lengths = std::sqrt(product(i, i) * product(j, j));
      out[size_t(i) * rows + j] = dissimilarity == Dissimilarity::sqeuclidean ? square
                                  : dissimilarity == Dissimilarity::euclidean ? std::sqrt(square)
                                  : lengths > 0 ? 1 - product(i, j) / lengths
                                                : 1;
    }
  }
  return out;
}

// What is compared: entries off the diagonal, or C D C.
Values compared(Values rdm, int rows, RdmComparison comparison) {
  const bool moments =
      comparison == RdmComparison::cosine_cov || comparison == RdmComparison::corr_cov;
  if (comparison == RdmComparison::corr || comparison == RdmComparison::corr_cov) {
    const double mean = std::accumulate(rdm.begin(), rdm.end(), 0.0) / rows / (rows - 1);
    for (int k = 0; k < rows * rows; ++k) rdm[k] -= k / rows == k % rows ? 0 : mean;
  }
  if (!moments) return rdm;
  Values means(rows);
  for (int k = 0; k < rows * rows; ++k) means[k / rows] += rdm[k] / rows;
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / rows;
  for (int k = 0; k < rows * rows; ++k) rdm[k] += mean - means[k / rows] - means[k % rows];
  return rdm;
}

double score(const Values& x, int dx, const Values& y, int dy, int rows,
             const RsaOptions& options) {
  const auto p = compared(square_rdm(x, rows, dx, options.dissimilarity), rows, options.comparison);
  const auto q = compared(square_rdm(y, rows, dy, options.dissimilarity), rows, options.comparison);
  const auto product = [](const Values& a, const Values& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  return product(p, q) / std::sqrt(product(p, p) * product(q, q));
}

void require_gradient(Values x, int dx, const Values& y, int dy, int rows,
                      const RsaOptions& options, const double* found, double tolerance,
                      const char* what) {
  constexpr double kStep = 1e-5;
  double largest = 0, error = 0;
  for (double& value : x) {
    const double there = value;
    value = there + kStep;
    const double above = score(x, dx, y, dy, rows, options);
    value = there - kStep;
    const double slope = (above - score(x, dx, y, dy, rows, options)) / (2 * kStep);
    value = there;
    largest = std::max(largest, std::abs(slope));
    error = std::isnan(*found) ? INFINITY : std::max(error, std::abs(*found - slope));
    ++found;
  }
  expect(error <= tolerance * largest, what);
}

// Two pairs, and each side alone.
template <class T>
void gradients(int rows, int dx, const RsaOptions& options) {
  constexpr int kPairs = 2, kY = 3;
  const std::vector<T> x = normal<T>(size_t(kPairs) * rows * dx);
  std::vector<T> y = normal<T>(size_t(kPairs) * rows * kY);
  for (int i = 0; i < kPairs * rows; ++i) y[size_t(i) * kY] += T(3) * x[size_t(i) * dx] + T(5);
  const OnDevice<T> there_x(x), there_y(y), by_x(x.size()), by_y(y.size());
  Call call;
  rsa_gradients<T>(call.context(), {there_x.get(), dx}, {there_y.get(), kY}, kPairs, rows, options,
                   by_x.get(), nullptr);
  rsa_gradients<T>(call.context(), {there_x.get(), dx}, {there_y.get(), kY}, kPairs, rows, options,
                   nullptr, by_y.get());
  const Values all_x(x.begin(), x.end()), all_y(y.begin(), y.end());
  const auto found_x = by_x.values(), found_y = by_y.values();
  const Values exact_x(found_x.begin(), found_x.end()), exact_y(found_y.begin(), found_y.end());
  constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-7;
  for (int k = 0; k < kPairs; ++k) {
    const int at_x = k * rows * dx, at_y = k * rows * kY;
    const Values a(all_x.begin() + at_x, all_x.begin() + at_x + rows * dx);
    const Values b(all_y.begin() + at_y, all_y.begin() + at_y + rows * kY);
    require_gradient(a, dx, b, kY, rows, options, exact_x.data() + at_x, kTolerance, "by x");
    require_gradient(b, kY, a, dx, rows, options, exact_y.data() + at_y, kTolerance, "by y");
  }
}

// Samples without direction, equal ones, constant representations, what is not a number.
void special_samples() {
  constexpr int kRows = 5, kCols = 3, kSize = kRows * kCols;
  const Values good = normal<double>(kSize);
  Values flat = good, equal = good, constant(kSize, 2.0), missing = good;
  std::fill_n(flat.begin() + kCols, kCols, 0.0);
  std::copy_n(equal.begin(), kCols, equal.begin() + kCols);
  missing[4] = NAN;
  const OnDevice<double> other(good), by_x(kSize), by_y(kSize);
  Call call;
  const auto all = [](const Values& values, auto&& is) {
    return std::all_of(values.begin(), values.end(), is);
  };
  const auto is_nan = [](double value) { return std::isnan(value); };
  const auto is_finite = [](double value) { return std::isfinite(value); };
  for (const auto dissimilarity : {Dissimilarity::correlation, Dissimilarity::cosine,
                                   Dissimilarity::euclidean, Dissimilarity::sqeuclidean}) {
    const auto run = [&](const Values& x) {
      const OnDevice<double> there(x);
      rsa_gradients<double>(call.context(), {there.get(), kCols}, {other.get(), kCols}, 1, kRows,
                            {dissimilarity, RdmComparison::corr}, by_x.get(), by_y.get());
    };
    for (const Values& bad : {constant, missing}) {
      run(bad);
      expect(all(by_x.values(), is_nan) && all(by_y.values(), is_nan), "NaN without a score");
    }
    for (const Values& special : {flat, equal}) {
      run(special);
      expect(all(by_x.values(), is_finite) && all(by_y.values(), is_finite), "special samples");
    }
    const bool angles = !is_distance(dissimilarity);
    run(flat);
    expect(!angles || by_x.values()[kCols] == 0, "no direction, no gradient");
  }
}

void rdm_gradients() {
  gradients<double>(6, 4, {Dissimilarity::correlation, RdmComparison::cosine});
  gradients<float>(6, 4, {Dissimilarity::euclidean, RdmComparison::corr});
  gradients<double>(6, 4, {Dissimilarity::sqeuclidean, RdmComparison::cosine_cov});
  gradients<double>(6, 4, {Dissimilarity::euclidean, RdmComparison::corr_cov});
  gradients<double>(6, 40, {Dissimilarity::cosine, RdmComparison::corr_cov});
  gradients<double>(34, 2, {Dissimilarity::sqeuclidean, RdmComparison::corr});
  special_samples();
}

const Topic topic("rdm_gradient", rdm_gradients);

}  // namespace
}  // namespace likewise::cuda::driver

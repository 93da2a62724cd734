#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "kernels/cpu/kernel_functions.h"
#include "kernels/kernels.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr int64_t kRows = 140;  // more than one tile of the Gram matrices, the last one ragged

Matrix centred(Matrix a) {
  for (int64_t j = 0; j < a.cols; ++j) {
    double mean = 0;
    for (int64_t i = 0; i < a.rows; ++i) mean += a(i, j) / double(a.rows);
    for (int64_t i = 0; i < a.rows; ++i) a(i, j) -= mean;
  }
  return a;
}

// A representation and its Gram matrix after centring.
struct Sample {
  Matrix x, gram;

  Sample(int64_t width, uint64_t seed) : x(random_matrix(kRows, width, seed)), gram(0, 0) {
    const Matrix shared = random_matrix(kRows, 1, 99);
    for (int64_t i = 0; i < kRows; ++i) x(i, 0) = 2 * shared(i, 0) + 5;
    const Matrix c = centred(x);
    gram = product(c, transposed(c));
  }

  double squared_distance(int64_t p, int64_t q) const {
    return std::max(0.0, gram(p, p) + gram(q, q) - 2 * gram(p, q));
  }

  double median_distance() const {
    std::vector<double> distances;
    for (int64_t p = 0; p < kRows; ++p) {
      for (int64_t q = p + 1; q < kRows; ++q) distances.push_back(squared_distance(p, q));
    }
    std::sort(distances.begin(), distances.end());
    const size_t half = distances.size() / 2;
    const double upper = std::sqrt(distances[half]);
    return distances.size() % 2 ? upper : (std::sqrt(distances[half - 1]) + upper) / 2;
  }
};

std::vector<Sample> samples(const std::vector<int64_t>& widths, uint64_t seed) {
  std::vector<Sample> list;
  for (const int64_t width : widths) list.emplace_back(width, seed++);
  return list;
}

// A kernel matrix as the estimator wants it: centred on both sides, or without its diagonal.
struct Kernel {
  Matrix k;
  std::vector<double> row_sums;
  double sum = 0, self = 0;

  Kernel(const Sample& sample, const KernelOptions& o) : k(sample.gram), row_sums(kRows, 0.0) {
    const double sigma = o.bandwidth * (o.median ? sample.median_distance() : 1);
    const double gamma = o.gamma == 0 ? 1 / double(sample.x.cols) : o.gamma;
    for (int64_t p = 0; p < kRows; ++p) {
      for (int64_t q = 0; q < kRows; ++q) {
        if (o.function == KernelFunction::rbf) {
          k(p, q) = std::exp(-sample.squared_distance(p, q) / (2 * sigma * sigma));
        } else if (o.function == KernelFunction::polynomial) {
          k(p, q) = std::pow(gamma * k(p, q) + o.coef0, double(o.degree));
        }
      }
    }
    if (o.estimator == HsicEstimator::biased) k = centred(transposed(centred(k)));
    for (int64_t p = 0; p < kRows; ++p) {
      if (o.estimator == HsicEstimator::unbiased) k(p, p) = 0;
      for (int64_t q = 0; q < kRows; ++q) row_sums[size_t(p)] += k(p, q);
      sum += row_sums[size_t(p)];
    }
    self = hsic(*this, o.estimator);
  }

  // Gretton et al. 2005 (biased); Song et al. 2012, equation 5 (unbiased).
  double hsic(const Kernel& other, HsicEstimator estimator) const {
    const double n = double(kRows);
    double trace = 0, products = 0;
    for (size_t i = 0; i < k.data.size(); ++i) trace += k.data[i] * other.k.data[i];
    if (estimator == HsicEstimator::biased) return trace / ((n - 1) * (n - 1));
    for (size_t p = 0; p < row_sums.size(); ++p) products += row_sums[p] * other.row_sums[p];
    return (trace + sum * other.sum / ((n - 1) * (n - 2)) - 2 / (n - 2) * products) / (n * (n - 3));
  }
};

Matrix naive_scores(const std::vector<Sample>& a, const std::vector<Sample>& b,
                    const KernelOptions& options) {
  std::vector<Kernel> k, l;
  for (const Sample& sample : a) k.emplace_back(sample, options);
  for (const Sample& sample : b) l.emplace_back(sample, options);
  Matrix scores(int64_t(a.size()), int64_t(b.size()));
  for (int64_t i = 0; i < scores.rows; ++i) {
    for (int64_t j = 0; j < scores.cols; ++j) {
      const Kernel &ki = k[size_t(i)], &lj = l[size_t(j)];
      scores(i, j) = ki.hsic(lj, options.estimator);
      if (options.normalize) scores(i, j) /= std::sqrt(ki.self * lj.self);
    }
  }
  return scores;
}

// Samples with a leading dimension beyond their width.
template <class T>
struct Padded {
  std::vector<std::vector<T>> values;
  std::vector<MatrixRef<const T>> views;

  explicit Padded(const std::vector<Sample>& list) {
    for (const Sample& sample : list) {
      const int64_t width = sample.x.cols, ld = width + 2;
      values.push_back(sample.x.padded<T>(ld, T(NAN)));
      views.push_back({values.back().data(), kRows, width, ld, 1});
    }
  }
};

struct Found {
  std::vector<int64_t> constant_units, status;

  explicit Found(size_t items) : constant_units(items, -2), status(items, -2) {}
  operator KernelCounts() { return {constant_units.data(), status.data()}; }
  bool nothing() const {
    const auto zero = [](int64_t count) { return count == 0; };
    return std::all_of(constant_units.begin(), constant_units.end(), zero) &&
           std::all_of(status.begin(), status.end(), zero);
  }
};

// A batch of one matrix.
template <class T>
MatrixBatch<const T> batch_of(const MatrixRef<const T>& view) {
  ArrayRef array;
  array.data = const_cast<T*>(view.data);
  array.dtype = sizeof(T) == 4 ? DType::float32 : DType::float64;
  array.ndim = 2;
  array.shape = {view.rows, view.cols};
  array.strides = {view.row_stride, view.col_stride};
  return MatrixBatch<const T>(array);
}

template <class T>
void scores_are(const Matrix& crossed, const Matrix& symmetric, const std::vector<Sample>& a,
                const std::vector<Sample>& b, const KernelOptions& options, int threads) {
  const double tolerance = sizeof(T) == 8 ? 1e-10 : 1e-5;
  const int64_t m = crossed.rows, n = crossed.cols;
  const Padded<T> pa(a), pb(b);
  std::vector<double> scores(size_t(m * std::max(m, n)), NAN);
  Found both(size_t(m + n)), one(static_cast<size_t>(m));

  kernel_scores<T>(pa.views, pb.views, options, threads, scores.data(), both);
  CHECK(largest_difference(crossed, scores.data(), n) < tolerance);
  CHECK(both.nothing());

  kernel_scores<T>(pa.views, {}, options, threads, scores.data(), one);
  CHECK(largest_difference(symmetric, scores.data(), m) < tolerance);
  CHECK(one.nothing());

  for (int64_t i = 0; i < n; ++i) {
    Found pair(2);
    kernel_pairs<T>(batch_of(pa.views[i]), batch_of(pb.views[i]), options, threads, scores.data(),
                    pair);
    CHECK_NEAR(scores[0], crossed(i, i), tolerance);
    CHECK(pair.nothing());
  }
}

// One order of the samples, and the one that they have.
void reordered_scores_are_those_of_copies(const KernelOptions& options) {
  for (const int64_t width : {3, 40}) {  // products of features, and reordered kernel matrices
    const std::vector<Sample> x = samples({width}, 3), y = samples({width + 1}, 4);
    Sample mixed = y[0];
    std::vector<int32_t> orders;
    for (int32_t i = 0; i < kRows; ++i) orders.push_back(i);
    for (int32_t i = 0; i < kRows; ++i) orders.push_back(int32_t((i * 37 + 5) % kRows));
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t j = 0; j < mixed.x.cols; ++j) mixed.x(i, j) = y[0].x(orders[kRows + i], j);
    }
    const Padded<double> left(x), right({y[0], mixed});
    double expected[2], scores[2];
    Found found(3);
    kernel_scores<double>(left.views, right.views, options, 1, expected, found);
    CHECK(kernel_reordered<double>(left.views[0], right.views[0], orders.data(), 2, options, 2,
                                   scores));
    for (int k = 0; k < 2; ++k) CHECK_NEAR(scores[k], expected[k], 1e-11);
  }
}

void scores_match_naive(const KernelOptions& options) {
  static const std::vector<Sample> a = samples({3, 40, 7, 1, 260}, 1);
  static const std::vector<Sample> b = samples({6, 2, 17, 9}, 50);
  const Matrix crossed = naive_scores(a, b, options), symmetric = naive_scores(a, a, options);
  for (const int threads : {1, 3}) {
    scores_are<double>(crossed, symmetric, a, b, options, threads);
    scores_are<float>(crossed, symmetric, a, b, options, threads);
  }
  reordered_scores_are_those_of_copies(options);
}

constexpr KernelFunction kFunctions[] = {KernelFunction::linear, KernelFunction::rbf,
                                         KernelFunction::polynomial};

TEST(cka) {
  for (const KernelFunction function : kFunctions) {
    for (const HsicEstimator estimator : {HsicEstimator::biased, HsicEstimator::unbiased}) {
      KernelOptions options;
      options.function = function;
      options.estimator = estimator;
      scores_match_naive(options);
    }
  }
}

TEST(hsic_with_given_parameters) {
  for (const KernelFunction function : kFunctions) {
    KernelOptions options;
    options.function = function;
    options.normalize = false;
    options.median = false;
    options.bandwidth = 0.8;
    options.degree = 2;
    options.coef0 = 0.5;
    options.gamma = 0.1;
    scores_match_naive(options);
  }
}

TEST(a_constant_representation_has_no_score) {
  std::vector<Sample> list = samples({4, 4}, 1);
  std::fill(list[1].x.data.begin(), list[1].x.data.end(), 0.1);
  const KernelOptions options;
  const std::vector<double> x = list[0].x.padded<double>(4), y = list[1].x.padded<double>(4);
  const MatrixRef<const double> view_x{x.data(), kRows, 4, 4, 1}, view_y{y.data(), kRows, 4, 4, 1};
  double score;
  Found same(2), constant(2);
  kernel_pairs<double>(batch_of(view_x), batch_of(view_x), options, 2, &score, same);
  CHECK_NEAR(score, 1, 1e-12);
  CHECK(same.nothing());
  kernel_pairs<double>(batch_of(view_x), batch_of(view_y), options, 2, &score, constant);
  CHECK(std::isnan(score));
  CHECK(constant.status[0] == kKernelOk && constant.status[1] == kKernelConstant);
  CHECK(constant.constant_units[0] == 0 && constant.constant_units[1] == 4);
}

// exp(x) for x <= 0, of samples at the squared distance -x.
template <class T>
void exponentials_are_exact() {
  std::vector<T> products{T(0), T(NAN)}, values(20002), sums(values.size()), norms(values.size());
  for (int k = 0; k < 20000; ++k) {
    products.push_back(T(-std::pow(10.0, -10 + 12.9 * k / 19999)) / 2);
  }
  kernel_functions<T>().rbf(products.data(), int64_t(values.size()), 0, norms.data(), {1, -1},
                            values.data(), sums.data());
  CHECK(std::isnan(values[1]));
  for (size_t k = 0; k < values.size(); ++k) {
    if (k == 1) continue;
    const long double exact = std::exp(2 * static_cast<long double>(products[k]));
    const T rounded = T(exact), least = std::numeric_limits<T>::min();
    if (exact < least / 2) CHECK(values[k] == 0);
    if (exact <= least) continue;
    const T unit = std::nextafter(rounded, T(2)) - rounded;
    CHECK(std::abs(static_cast<long double>(values[k]) - exact) <= unit);
  }
}

TEST(exponentials_of_the_rbf_kernel) {
  exponentials_are_exact<float>();
  exponentials_are_exact<double>();
}

}  // namespace

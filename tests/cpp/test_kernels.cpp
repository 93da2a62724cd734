#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
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

// What the engine needs of the samples, with a leading dimension beyond their width.
template <class T>
struct Prepared {
  std::vector<std::vector<T>> values, means;
  std::vector<std::vector<double>> norms;
  std::vector<MatrixRef<const T>> views;
  std::vector<KernelItem<T>> items;

  Prepared(const std::vector<Sample>& list, const KernelOptions& options, int threads) {
    std::vector<T*> mean_pointers;
    std::vector<double*> norm_pointers;
    for (const Sample& sample : list) {
      const int64_t width = sample.x.cols, ld = width + 2;
      values.push_back(sample.x.padded<T>(ld, T(NAN)));
      views.push_back({values.back().data(), kRows, width, ld, 1});
      means.emplace_back(size_t(2 * width));
      norms.emplace_back(size_t(kRows));
      mean_pointers.push_back(means.back().data());
      norm_pointers.push_back(norms.back().data());
    }
    const auto facts = prepare_kernel_items(views, mean_pointers, norm_pointers, options, threads);
    for (size_t k = 0; k < list.size(); ++k) {
      items.push_back(
          {views[k], mean_pointers[k], norm_pointers[k], facts[k].scale, facts[k].sigma});
      CHECK(facts[k].constant_units == 0);
    }
  }
};

template <class T>
void scores_are(const Matrix& crossed, const Matrix& symmetric, const std::vector<Sample>& a,
                const std::vector<Sample>& b, const KernelOptions& options, int threads) {
  const double tolerance = sizeof(T) == 8 ? 1e-10 : 1e-5;
  const int64_t m = crossed.rows, n = crossed.cols;
  const Prepared<T> pa(a, options, threads), pb(b, options, threads);
  std::vector<double> scores(size_t(m * std::max(m, n)), NAN);
  std::vector<int32_t> status_a(size_t(m), -1), status_b(size_t(n), -1);

  kernel_scores(pa.items, pb.items, false, options, threads, scores.data(), status_a.data(),
                status_b.data());
  CHECK(largest_difference(crossed, scores.data(), n) < tolerance);
  CHECK(std::count(status_a.begin(), status_a.end(), kKernelOk) == m);
  CHECK(std::count(status_b.begin(), status_b.end(), kKernelOk) == n);

  kernel_scores(pa.items, {}, true, options, threads, scores.data(), status_a.data(), nullptr);
  CHECK(largest_difference(symmetric, scores.data(), m) < tolerance);

  std::vector<int32_t> status(size_t(2 * n), -1);
  std::vector<int64_t> constant_units(size_t(2 * n), -1);
  kernel_scores_paired({pa.views.begin(), pa.views.begin() + n}, pb.views, options, threads,
                       scores.data(), status.data(), constant_units.data());
  for (int64_t i = 0; i < n; ++i) CHECK_NEAR(scores[size_t(i)], crossed(i, i), tolerance);
}

void scores_match_naive(const KernelOptions& options) {
  static const std::vector<Sample> a = samples({3, 40, 7, 1, 260}, 1);
  static const std::vector<Sample> b = samples({6, 2, 17, 9}, 50);
  const Matrix crossed = naive_scores(a, b, options), symmetric = naive_scores(a, a, options);
  for (const int threads : {1, 3}) {
    scores_are<double>(crossed, symmetric, a, b, options, threads);
    scores_are<float>(crossed, symmetric, a, b, options, threads);
  }
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
  double scores[2];
  int32_t status[4];
  int64_t constant_units[4];
  kernel_scores_paired<double>({view_x, view_x}, {view_x, view_y}, options, 2, scores, status,
                               constant_units);
  CHECK_NEAR(scores[0], 1, 1e-12);
  CHECK(std::isnan(scores[1]));
  CHECK(status[0] == kKernelOk && status[2] == kKernelOk && status[3] == kKernelConstant);
}

}  // namespace

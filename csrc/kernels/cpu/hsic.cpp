#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/parallel.h"
#include "kernels/cpu/features.h"
#include "kernels/cpu/gram_stream.h"
#include "kernels/cpu/row_kernels.h"
#include "kernels/kernels.h"
#include "linalg/linalg.h"

// For a kernel matrix let K be its entries off the diagonal, r their row sums, g the diagonal and
// f = r + g. Both estimators are sums of inner products of such parts of two items:
//   biased   (n - 1)^2 HSIC = tr(KHLH) = <K, L> + g'g - 2/n f'f + (1'f)(1'f) / n^2
//   unbiased n (n - 3) HSIC = <K, L> - 2/(n-2) r'r + (1'r)(1'r) / ((n-1)(n-2))
// (Gretton et al. 2005, section 3.1; Song et al. 2012, equation 5.) Features are centred, so the
// linear kernel has f = 0 and r = -g.

namespace likewise {
namespace {

// An HSIC of an item with itself below this share of the terms it is made of is rounding.
constexpr double kRoundingUnits = 64;

enum class Part { diagonal, rows, full };

double polynomial(const KernelOptions& options, double product) {
  return std::pow(product + options.coef0, double(options.degree));
}

template <class T>
StreamItem<T> with_parameters(const KernelItem<T>& item, const KernelOptions& options) {
  const double n = double(item.x.rows);
  const double norms = std::accumulate(item.norms, item.norms + item.x.rows, 0.0);
  // The shift is the kernel at the mean squared distance or mean inner product of two samples.
  switch (options.function) {
    case KernelFunction::rbf: {
      const double gamma = item.sigma > 0 ? 1 / (2 * item.sigma * item.sigma) : 0;
      return {&item, gamma, double(T(std::exp(-gamma * 2 * norms / (n - 1))))};
    }
    case KernelFunction::polynomial: {
      const double gamma = options.gamma > 0 ? options.gamma : 1 / double(item.x.cols);
      const double scaled = gamma / (item.scale * item.scale);
      return {&item, scaled, double(T(polynomial(options, -scaled * norms / (n * (n - 1)))))};
    }
    default:
      return {&item};
  }
}

// n numbers per item: that part of its kernel matrix.
template <class T>
std::vector<double> part_of_all(Part part, const std::vector<StreamItem<T>>& items,
                                const KernelSums& sums, const KernelOptions& options) {
  const int64_t n = items[0].item->x.rows;
  std::vector<double> vectors(items.size() * size_t(n), 0.0);
  for (size_t k = 0; k < items.size(); ++k) {
    double* vector = vectors.data() + k * n;
    const double* norms = items[k].item->norms;
    const double shift = items[k].shift;
    for (int64_t p = 0; p < n; ++p) {
      double diagonal = norms[p];
      double row_sum = -norms[p];
      if (options.function != KernelFunction::linear) {
        diagonal = options.function == KernelFunction::rbf
                       ? 1 - shift
                       : polynomial(options, items[k].gamma * norms[p]) - shift;
        row_sum = sums.row_sums[k * n + p];
      }
      if (part != Part::rows) vector[p] += diagonal;
      if (part != Part::diagonal) vector[p] += row_sum;
    }
  }
  return vectors;
}

struct Estimates {
  KernelSums sums;
  std::vector<double> self_terms;  // all items: sum of the absolute terms in sums.self
  int64_t n = 0;

  int64_t items() const { return int64_t(sums.self.size()); }
  bool symmetric() const { return items() == sums.count_a; }

  // Adds factor * u'v + sum_factor * (1'u)(1'v) for the vectors u, v of every two items.
  void add(const std::vector<double>& vectors, double factor, double sum_factor) {
    std::vector<double> totals(size_t(items()), 0.0);
    for (int64_t k = 0; k < items(); ++k) {
      const double* u = vectors.data() + k * n;
      totals[k] = std::accumulate(u, u + n, 0.0);
      const double inner = factor * row_kernels<double>().dot(u, u, n);
      const double outer = sum_factor * totals[k] * totals[k];
      sums.self[k] += inner + outer;
      self_terms[k] += std::abs(inner) + std::abs(outer);
    }
    if (symmetric()) {
      gram<double>(Op::none, items(), n, factor, vectors.data(), n, 1.0, sums.products.data(),
                   sums.count_b);
    } else {
      gemm<double>(Op::none, Op::transpose, sums.count_a, sums.count_b, n, factor, vectors.data(),
                   n, vectors.data() + sums.count_a * n, n, 1.0, sums.products.data(),
                   sums.count_b);
    }
    const double* totals_b = totals.data() + (symmetric() ? 0 : sums.count_a);
    for (int64_t i = 0; i < sums.count_a; ++i) {
      for (int64_t j = 0; j < (symmetric() ? i + 1 : sums.count_b); ++j) {
        sums.products[i * sums.count_b + j] += sum_factor * totals[i] * totals_b[j];
      }
    }
  }
};

template <class T>
Estimates estimate(const std::vector<StreamItem<T>>& items, KernelSums sums, bool with_diagonal,
                   const KernelOptions& options) {
  Estimates e;
  e.sums = std::move(sums);
  e.n = items[0].item->x.rows;
  for (const double self : e.sums.self) e.self_terms.push_back(std::abs(self));
  const double n = double(e.n);
  const auto part = [&](Part which) { return part_of_all(which, items, e.sums, options); };
  const double diagonal = with_diagonal ? 1 : 0;  // of <K, L>, where it does not belong
  if (options.estimator == HsicEstimator::unbiased) {
    e.add(part(Part::rows), -2 / (n - 2) - diagonal, 1 / ((n - 1) * (n - 2)));
    return e;
  }
  if (!with_diagonal) e.add(part(Part::diagonal), 1, 0);
  if (options.function != KernelFunction::linear) e.add(part(Part::full), -2 / n, 1 / (n * n));
  return e;
}

template <class T>
KernelStatus status_of(const StreamItem<T>& stream, double self, double terms,
                       const KernelOptions& options) {
  const KernelItem<T>& item = *stream.item;
  if (std::all_of(item.norms, item.norms + item.x.rows, [](double s) { return s == 0; })) {
    return kKernelConstant;
  }
  if (options.function == KernelFunction::rbf && item.sigma == 0) return kKernelNoBandwidth;
  const double rounding = kRoundingUnits * double(std::numeric_limits<T>::epsilon()) * terms;
  if (options.normalize && self <= rounding) return kKernelNotPositive;
  return kKernelOk;
}

}  // namespace

template <class T>
void kernel_scores(const std::vector<KernelItem<T>>& a, const std::vector<KernelItem<T>>& b,
                   bool symmetric, const KernelOptions& options, int threads, double* scores,
                   int32_t* status_a, int32_t* status_b) {
  if (a.empty() || (!symmetric && b.empty())) return;
  std::vector<StreamItem<T>> items_a, items_b;
  for (const KernelItem<T>& item : a) items_a.push_back(with_parameters(item, options));
  if (!symmetric) {
    for (const KernelItem<T>& item : b) items_b.push_back(with_parameters(item, options));
  }
  const bool features =
      options.function == KernelFunction::linear && features_are_cheaper(a, b, symmetric);
  KernelSums sums = features ? feature_products(a, b, symmetric, threads)
                             : stream_grams(items_a, items_b, symmetric, options, threads);
  std::vector<StreamItem<T>> items = std::move(items_a);
  items.insert(items.end(), items_b.begin(), items_b.end());
  const Estimates e = estimate(items, std::move(sums), features, options);

  const int64_t rows = e.sums.count_a, cols = e.sums.count_b;
  const int64_t offset_b = symmetric ? 0 : rows;
  std::vector<int32_t> status;
  for (size_t k = 0; k < items.size(); ++k) {
    status.push_back(status_of(items[k], e.sums.self[k], e.self_terms[k], options));
  }
  std::copy_n(status.data(), rows, status_a);
  if (!symmetric) std::copy_n(status.data() + rows, cols, status_b);

  const double n = double(e.n);
  const bool unbiased = options.estimator == HsicEstimator::unbiased;
  const double divisor = unbiased ? n * (n - 3) : (n - 1) * (n - 1);
  const auto unit = [&](int64_t k) {
    const double scale = items[k].item->scale;
    return options.function == KernelFunction::linear ? scale * scale : 1.0;
  };
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < (symmetric ? i + 1 : cols); ++j) {
      const int64_t k = offset_b + j;
      double score = symmetric && i == j ? e.sums.self[i] : e.sums.products[i * cols + j];
      if (!unbiased) score = std::max(score, 0.0);  // a squared norm, but for rounding
      if (status[i] != kKernelOk || status[k] != kKernelOk) {
        score = std::numeric_limits<double>::quiet_NaN();
      } else if (options.normalize) {
        score /= std::sqrt(e.sums.self[i] * e.sums.self[k]);
      } else {
        score /= divisor * unit(i) * unit(k);
      }
      scores[i * cols + j] = score;
      if (symmetric) scores[j * cols + i] = score;
    }
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                 \
  template void kernel_scores<T>(const std::vector<KernelItem<T>>&,                             \
                                 const std::vector<KernelItem<T>>&, bool, const KernelOptions&, \
                                 int, double*, int32_t*, int32_t*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

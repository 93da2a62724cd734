#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/parallel.h"
#include "kernels/cpu/row_kernels.h"
#include "kernels/features.h"
#include "kernels/gram_stream.h"
#include "kernels/kernels.h"
#include "kernels/prepared.h"
#include "kernels/scaled_kernel.h"
#include "linalg/linalg.h"

// For a kernel matrix let K be its entries off the diagonal, r their row sums, g the diagonal and
// f = r + g. Both estimators are sums of inner products of such parts of two items:
//   biased   (n - 1)^2 HSIC = tr(KHLH) = <K, L> + g'g - 2/n f'f + (1'f)(1'f) / n^2
//   unbiased n (n - 3) HSIC = <K, L> - 2/(n-2) r'r + (1'r)(1'r) / ((n-1)(n-2))
// (Gretton et al. 2005, section 3.1; Song et al. 2012, equation 5.) Features are centred, so the
// linear kernel has f = 0 and r = -g.
// Where these terms cancel, the same is taken of projected matrices, K_pq - u_p - u_q, whose inner
// products are (n - 1)^2 HSIC (with the diagonal) and n (n - 3) HSIC (Szekely & Rizzo 2014).

namespace likewise {
namespace {

// HSIC of an item with itself below this share of the terms it is made of has lost too much.
constexpr double kSafeShare = 1.0 / 64;
// A projected matrix below this many units in the last place of what it was made of is rounding.
constexpr double kRoundingUnits = 64;

// Values of an rbf kernel this small, or their squares, are not in the range of float.
constexpr double kVanishing = 1e-12;

enum class Part { diagonal, rows, full };

// n numbers per item: that part of its kernel matrix.
template <class T>
std::vector<double> part_of_all(Part part, const std::vector<StreamItem<T>>& items,
                                const KernelSums& sums) {
  const int64_t n = items[0].item->x.rows;
  std::vector<double> vectors(items.size() * size_t(n), 0.0);
  for (size_t k = 0; k < items.size(); ++k) {
    double* vector = vectors.data() + k * n;
    const double* norms = items[k].item->norms;
    const ScaledKernel& kernel = items[k].kernel;
    const bool linear = kernel.function == KernelFunction::linear;
    for (int64_t p = 0; p < n; ++p) {
      if (part != Part::rows) vector[p] += kernel.diagonal(norms[p]);
      if (part != Part::diagonal) vector[p] += linear ? -norms[p] : sums.row_sums[k * n + p];
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

  // Whether an item's own terms leave less than this share of them.
  bool cancels(double share) const {
    for (int64_t k = 0; k < items(); ++k) {
      if (self_terms[k] > 0 && sums.self[k] < share * self_terms[k]) return true;
    }
    return false;
  }

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
class Estimator {
 public:
  Estimator(const std::vector<KernelItem<T>>& items, int64_t count_a, const KernelOptions& options,
            int threads)
      : options_(options), threads_(threads), count_a_(count_a), n_(items[0].x.rows) {
    items_.reserve(items.size());
    for (const KernelItem<T>& item : items) items_.push_back({&item, scaled_kernel(item, options)});
  }

  const std::vector<StreamItem<T>>& items() const { return items_; }

  // Whether products of kernels vanish in float.
  bool vanishes(const KernelSums& sums) const {
    const double least = double(n_) * double(n_ - 1) * kVanishing * kVanishing;
    return options_.function == KernelFunction::rbf &&
           std::any_of(sums.self.begin(), sums.self.end(),
                       [=](double self) { return !(self >= least); });
  }

  Estimates of_features(KernelSums sums) const { return estimate(std::move(sums), true); }

  Estimates of_grams() const {
    if (linear() && unbiased()) return projected({});  // their row sums are known
    return estimate(stream_grams(items_, count_a_, options_, threads_), false);
  }

  // `first`: what came out without projection; not needed of the linear kernel.
  Estimates projected(const Estimates& first) const {
    const std::vector<double> offsets = offsets_of(first.sums);
    Estimates e;
    e.n = n_;
    e.sums = stream_grams(items_, count_a_, options_, threads_, offsets.data());
    e.self_terms = linear() ? linear_terms(e.sums) : first.self_terms;
    if (unbiased()) return e;
    std::vector<double> diagonal = part_of_all(Part::diagonal, items_, e.sums);
    for (size_t k = 0; k < diagonal.size(); ++k) diagonal[k] -= 2 * offsets[k];
    e.add(diagonal, 1, 0);
    return e;
  }

 private:
  bool linear() const { return options_.function == KernelFunction::linear; }
  bool unbiased() const { return options_.estimator == HsicEstimator::unbiased; }

  Estimates estimate(KernelSums sums, bool with_diagonal) const {
    Estimates e;
    e.sums = std::move(sums);
    e.n = n_;
    for (const double self : e.sums.self) e.self_terms.push_back(std::abs(self));
    const double n = double(n_);
    const auto part = [&](Part which) { return part_of_all(which, items_, e.sums); };
    const double diagonal = with_diagonal ? 1 : 0;  // of <K, L>, where it does not belong
    if (unbiased()) {
      e.add(part(Part::rows), -2 / (n - 2) - diagonal, 1 / ((n - 1) * (n - 2)));
      return e;
    }
    if (!with_diagonal) e.add(part(Part::diagonal), 1, 0);
    if (!linear()) e.add(part(Part::full), -2 / n, 1 / (n * n));
    return e;
  }

  std::vector<double> offsets_of(const KernelSums& sums) const {
    const double n = double(n_);
    std::vector<double> offsets = part_of_all(unbiased() ? Part::rows : Part::full, items_, sums);
    const double of_rows = 1 / (unbiased() ? n - 2 : n);
    const double of_all = 0.5 / (unbiased() ? (n - 1) * (n - 2) : n * n);
    for (size_t k = 0; k < items_.size(); ++k) {
      double* const own = offsets.data() + k * size_t(n_);
      const double total = std::accumulate(own, own + n_, 0.0);
      for (int64_t p = 0; p < n_; ++p) own[p] = own[p] * of_rows - total * of_all;
    }
    return offsets;
  }

  // Of unbiased HSIC: what is left and, twice, what was taken away.
  std::vector<double> linear_terms(const KernelSums& sums) const {
    std::vector<double> terms;
    for (size_t k = 0; k < items_.size(); ++k) {
      const double* norms = items_[k].item->norms;
      terms.push_back(sums.self[k] +
                      4 / double(n_ - 2) * row_kernels<double>().dot(norms, norms, n_));
    }
    return terms;
  }

  const KernelOptions& options_;
  const int threads_;
  const int64_t count_a_, n_;
  std::vector<StreamItem<T>> items_;
};

template <class T>
KernelStatus status_of(const KernelItem<T>& item, double self, double terms,
                       const KernelOptions& options) {
  if (std::all_of(item.norms, item.norms + item.x.rows, [](double s) { return s == 0; })) {
    return kKernelConstant;
  }
  if (options.function == KernelFunction::rbf && item.sigma == 0) return kKernelNoBandwidth;
  const double rounding = kRoundingUnits * std::numeric_limits<double>::epsilon();
  if (options.normalize && self <= rounding * rounding * terms) return kKernelNotPositive;
  return kKernelOk;
}

// Scores become numbers of `Output`.
template <class T, class Output>
void score_all(const std::vector<KernelItem<T>>& prepared, int64_t rows,
               const KernelOptions& options, int threads, double* scores, int64_t* status) {
  const Estimator<T> estimator(prepared, rows, options, threads);
  const bool linear = options.function == KernelFunction::linear;
  const bool unbiased = options.estimator == HsicEstimator::unbiased;
  const bool features = linear && features_are_cheaper(prepared, rows);
  Estimates e = features ? estimator.of_features(feature_products(prepared, rows, threads))
                         : estimator.of_grams();
  const bool is_projected = linear && unbiased && !features;
  const bool vanishes = sizeof(T) == sizeof(float) && estimator.vanishes(e.sums);
  if (vanishes || e.cancels(is_projected ? kSafeShare * kSafeShare : kSafeShare)) {
    if constexpr (sizeof(T) == sizeof(float)) {
      // The same items in double, of the same bandwidth.
      std::vector<std::vector<double>> copies;
      std::vector<MatrixRef<const double>> wide;
      for (const KernelItem<float>& item : prepared) {
        copies.push_back(copy_in_double(item.x));
        wide.push_back({copies.back().data(), item.x.rows, item.x.cols, item.x.cols, 1});
      }
      KernelOptions given = options;
      given.median = false;
      std::vector<int64_t> constant_units(wide.size());
      auto in_double = prepare_items(wide, given, threads, constant_units.data());
      for (size_t k = 0; k < wide.size(); ++k) in_double.items[k].sigma = prepared[k].sigma;
      score_all<double, float>(in_double.items, rows, options, threads, scores, status);
      return;
    } else if (!is_projected && !(linear && !unbiased)) {
      e = estimator.projected(e);
    }
  }

  const std::vector<StreamItem<T>>& items = estimator.items();
  const bool symmetric = e.symmetric();
  const int64_t cols = e.sums.count_b, offset_b = symmetric ? 0 : rows;
  for (size_t k = 0; k < items.size(); ++k) {
    status[k] = status_of(*items[k].item, e.sums.self[k], e.self_terms[k], options);
  }
  std::vector<char> beyond(items.size(), false);
  const double n = double(e.n);
  const double divisor = unbiased ? n * (n - 3) : (n - 1) * (n - 1);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < (symmetric ? i + 1 : cols); ++j) {
      const int64_t k = offset_b + j;
      double score = symmetric && i == j ? e.sums.self[i] : e.sums.products[i * cols + j];
      if (!unbiased) score = std::max(score, 0.0);  // a squared norm, but for rounding
      if (status[i] != kKernelOk || status[k] != kKernelOk) {
        score = std::numeric_limits<double>::quiet_NaN();
      } else if (options.normalize) {
        score /= std::sqrt(e.sums.self[i]) * std::sqrt(e.sums.self[k]);
      } else {
        bool overflow;
        score = in_units<Output>(score / divisor,
                                 items[i].kernel.exponent + items[k].kernel.exponent, overflow);
        if (overflow) beyond[i] = beyond[k] = true;
      }
      scores[i * cols + j] = score;
      if (symmetric) scores[j * cols + i] = score;
    }
  }
  for (size_t k = 0; k < items.size(); ++k) {
    if (beyond[k]) status[k] = kKernelOverflow;
  }
}

}  // namespace

void kernel_scores(const Arrays& a, const Arrays& b, const KernelOptions& options, int threads,
                   double* scores, const Counts& counts) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const PreparedItems<T> prepared =
        prepare_items(matrices<T>(joined(a, b)), options, threads, counts.row(kConstantUnits));
    score_all<T, T>(prepared.items, int64_t(a.size()), options, threads, scores,
                    counts.row(kKernelStatus));
  });
}

void kernel_pairs(const ArrayRef& x, const ArrayRef& y, const KernelOptions& options, int threads,
                  double* scores, const Counts& counts) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> xs(x), ys(y);
    const int64_t count = xs.count();
    if (count == 0) return;
    const double width = double(xs[0].cols + ys[0].cols);
    const int used =
        worthwhile_threads(double(count) * double(xs[0].rows) * width * width, threads);
    parallel_for(count, used, [&](int64_t p, int) {
      int64_t constant_units[2], status[2] = {};
      const PreparedItems<T> pair = prepare_items<T>({xs[p], ys[p]}, options, used, constant_units);
      if (std::min(constant_units[0], constant_units[1]) < 0) {
        scores[p] = std::numeric_limits<double>::quiet_NaN();
      } else {
        score_all<T, T>(pair.items, 1, options, used, scores + p, status);
      }
      set_counts(counts, p, constant_units, status);
    });
  });
}

}  // namespace likewise

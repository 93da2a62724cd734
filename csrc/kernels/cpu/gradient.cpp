#include "kernels/gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/cpu/distances.h"
#include "kernels/cpu/panel.h"
#include "kernels/cpu/scaled_kernel.h"
#include "linalg/linalg.h"
#include "linalg/weighted_rows.h"

// Both estimators are c <C(K), C(L)> with a projection C of symmetric matrices: C(K) = HKH
// (biased), or the U-centred K, whose diagonal and row sums are 0 (unbiased; Szekely & Rizzo 2014).
// So d HSIC(K, L) / dK = c C(L), d HSIC(K, K) / dK = 2 c C(K), and
//   d CKA / dK = C(L) / (|C(K)| |C(L)|) - CKA C(K) / |C(K)|^2,
// followed by the kernel's derivative by products or squared distances of samples.

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;
constexpr double kRoundingUnits = 64;
// Float does not do for a projected matrix below this share of its kernel, nor for samples that are
// this far from the origin in units of the bandwidth, nor for two kernels this near each other, of
// which the gradient of CKA is what is left.
constexpr double kSafeShare = 1.0 / 4096, kSafeNorm = 256, kSafeCosine = 1 - 1e-3;

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

template <class T>
class Side {
 public:
  void prepare(const MatrixRef<const T>& x, const KernelOptions& options, int threads) {
    n_ = x.rows;
    d_ = x.cols;
    options_ = &options;
    read(x, threads);
    multiply(threads);
    const bool varies = std::any_of(norms_.begin(), norms_.end(), [](double s) { return s != 0; });
    status_ = varies ? kKernelOk : kKernelConstant;
    apply_kernel();
    project();
    square_ = inner(kernel_, kernel_);
    // A projection of this size is rounding of what it was made of.
    const double rounding = kRoundingUnits * std::numeric_limits<double>::epsilon();
    if (status_ == kKernelOk && options.normalize && square_ <= rounding * rounding * size_) {
      status_ = kKernelNotPositive;
    }
  }

  // Whether float has lost too many digits on the way.
  bool is_lossy() const {
    const double largest = *std::max_element(norms_.begin(), norms_.end());
    const bool far = scaled_.function == KernelFunction::rbf && scaled_.gamma * largest > kSafeNorm;
    return sizeof(T) == sizeof(float) && (far || square_ < kSafeShare * size_);
  }

  // C(K), its squared norm, and why it has no score.
  const std::vector<double>& kernel() const { return kernel_; }
  double square() const { return square_; }
  KernelStatus status() const { return status_; }
  int64_t constant_units() const { return facts_.constant_units; }
  // The kernel is in units of 2^exponent, the samples are the data's times 2^scale.
  int64_t exponent() const { return scaled_.exponent; }
  int64_t scale() const { return std::ilogb(facts_.scale); }

  // out = gradient by the samples, given the one by the kernel matrix (overwritten).
  void pull_back(std::vector<double>& by_kernel, double factor, int threads, T* out) {
    if (options_->function == KernelFunction::linear) {
      weighted_rows(n_, d_, 2 * factor, by_kernel, x_.data(), threads, out);
      return;
    }
    for (int64_t k = 0; k < n_ * n_; ++k) by_kernel[k] *= slope_[k];
    if (options_->function == KernelFunction::polynomial) {
      weighted_rows(n_, d_, 2 * factor, by_kernel, x_.data(), threads, out);
      centre(out);
      return;
    }
    const double by_median = options_->median ? gradient_by_median(by_kernel) : 0;
    for (double& weight : by_kernel) weight *= 4;
    if (options_->median) add_median(by_median, by_kernel);
    to_laplacian(n_, by_kernel);
    weighted_rows(n_, d_, factor, by_kernel, x_.data(), threads, out);
  }

 private:
  void read(const MatrixRef<const T>& x, int threads) {
    mean_.resize(size_t(2 * d_));
    norms_.resize(size_t(n_));
    facts_ = prepare_kernel_items<T>({x}, {mean_.data()}, {norms_.data()}, *options_, threads)[0];
    x_.resize(size_t(n_ * d_));
    item_ = {x, mean_.data(), norms_.data(), facts_.scale, facts_.sigma};
    scaled_ = scaled_kernel(item_, *options_);
    std::vector<T> buffer;
    centred_rows(item_, 0, n_, 0, d_, x_.data(), d_, buffer);
  }

  // kernel_ = inner products of the samples.
  void multiply(int threads) {
    kernel_.resize(size_t(n_ * n_));
    parallel_for((n_ + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int) {
      const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n_ - first);
      const int64_t width = first + count;  // up to the diagonal block
      std::vector<T> products(size_t(count * width));
      gemm<T>(Op::none, Op::transpose, count, width, d_, T(1), x_.data() + first * d_, d_,
              x_.data(), d_, T(0), products.data(), width);
      for (int64_t i = 0; i < count; ++i) {
        std::copy_n(products.data() + i * width, width, kernel_.data() + (first + i) * n_);
      }
      poll_interrupt();
    });
    symmetrize(n_, kernel_.data(), n_);
  }

  void apply_kernel() {
    if (options_->function == KernelFunction::linear) return;
    slope_.resize(size_t(n_ * n_));
    if (options_->function == KernelFunction::rbf) {
      if (status_ == kKernelOk && !(facts_.sigma > 0)) status_ = kKernelNoBandwidth;
      take_distances();
    }
    for (int64_t k = 0; k < n_ * n_; ++k) {
      kernel_[k] = scaled_.value(kernel_[k], &slope_[k]);
    }
  }

  // kernel_ = squares_ = squared distances, from products.
  void take_distances() {
    std::vector<T> buffer;
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        const double norms = norms_[i] + norms_[j];
        const double safe =
            std::max(kSmallDistance * norms, least_safe_distance<T>(scaled_.gamma, norms));
        double& square = kernel_[i * n_ + j];
        square = norms - 2 * square;
        if (square < safe) square = squared_distance(item_, i, j, buffer);
        kernel_[j * n_ + i] = square;
      }
      kernel_[i * n_ + i] = 0;
      poll_interrupt();
    }
    squares_ = kernel_;
  }

  // kernel_ = C(kernel_); size_ is the square of what that is made of.
  void project() {
    const bool biased = options_->estimator == HsicEstimator::biased;
    const double n = double(n_);
    std::vector<double> rows(static_cast<size_t>(n_));
    for (int64_t i = 0; i < n_; ++i) {
      double* row = kernel_.data() + i * n_;
      if (!biased) row[i] = 0;
      rows[i] = std::accumulate(row, row + n_, 0.0);
    }
    size_ = inner(kernel_, kernel_);
    const double total = std::accumulate(rows.begin(), rows.end(), 0.0);
    const double of_rows = 1 / (biased ? n : n - 2);
    const double of_all = total / (biased ? n * n : (n - 1) * (n - 2));
    for (int64_t i = 0; i < n_; ++i) {
      double* row = kernel_.data() + i * n_;
      for (int64_t j = 0; j < n_; ++j) row[j] += of_all - (rows[i] + rows[j]) * of_rows;
      if (!biased) row[i] = 0;
    }
  }

  // The polynomial kernel sees the samples centred.
  void centre(T* out) const {
    std::vector<double> mean(size_t(d_), 0.0);
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t j = 0; j < d_; ++j) mean[j] += double(out[i * d_ + j]);
    }
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t j = 0; j < d_; ++j) {
        out[i * d_ + j] = T(double(out[i * d_ + j]) - mean[j] / double(n_));
      }
    }
  }

  // K = exp(-g D) with g = 1 / (2 sigma^2), whose derivative by g is -D K = D slope / g; sigma is
  // the bandwidth's factor times the median, so that g changes by -2 g / median.
  double gradient_by_median(const std::vector<double>& by_squares) const {
    return -2 * inner(by_squares, squares_) / (facts_.sigma / options_->bandwidth);
  }

  // The median is the mean of the two middle distances, |x_p - x_q| of two pairs: the first ones at
  // these distances.
  void add_median(double by_median, std::vector<double>& weights) const {
    std::vector<double> sorted;
    sorted.reserve(size_t(n_ * (n_ - 1) / 2));
    for (int64_t i = 0; i < n_; ++i) {
      sorted.insert(sorted.end(), squares_.begin() + i * n_, squares_.begin() + i * n_ + i);
    }
    const int64_t count = int64_t(sorted.size());
    const auto lower = sorted.begin() + (count - 1) / 2;
    std::nth_element(sorted.begin(), lower, sorted.end());
    const auto upper = count % 2 ? lower : std::min_element(lower + 1, sorted.end());
    for (const double square : {*lower, *upper}) {
      const int64_t pair = first_at(square);
      const double weight = by_median / 2 / std::sqrt(square);
      weights[pair] += weight;
      weights[pair % n_ * n_ + pair / n_] += weight;
    }
  }

  int64_t first_at(double square) const {
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        if (squares_[i * n_ + j] == square) return i * n_ + j;
      }
    }
    throw InternalError("no two samples at the median distance");
  }

  int64_t n_ = 0, d_ = 0;
  const KernelOptions* options_ = nullptr;
  KernelFacts facts_;
  KernelItem<T> item_;
  ScaledKernel scaled_;
  std::vector<T> mean_, x_;
  std::vector<double> norms_, kernel_, slope_, squares_;
  double size_ = 0, square_ = 0;
  KernelStatus status_ = kKernelOk;
};

// Returns the score.
template <class T, class Output>
double pair_gradients(Side<T>& a, Side<T>& b, int64_t rows, const KernelOptions& options,
                      int threads, T* grad_x, T* grad_y, bool& overflow) {
  const bool biased = options.estimator == HsicEstimator::biased;
  const double n = double(rows);
  const double product = inner(a.kernel(), b.kernel());
  const double norms = std::sqrt(a.square()) * std::sqrt(b.square());
  const double factor =
      options.normalize ? 1 / norms : 1 / (biased ? (n - 1) * (n - 1) : n * (n - 3));
  const int64_t exponent = options.normalize ? 0 : a.exponent() + b.exponent();
  std::vector<double> by_kernel(a.kernel().size());
  const auto pull = [&](Side<T>& side, const Side<T>& other, T* out) {
    const double of_own = options.normalize ? -product / side.square() : 0;
    for (size_t k = 0; k < by_kernel.size(); ++k) {
      by_kernel[k] = other.kernel()[k] + of_own * side.kernel()[k];
    }
    side.pull_back(by_kernel, std::ldexp(factor, int(exponent + side.scale())), threads, out);
  };
  if (grad_x) pull(a, b, grad_x);
  if (grad_y) pull(b, a, grad_y);
  return in_units<Output>((biased ? std::max(product, 0.0) : product) * factor, exponent, overflow);
}

// What is wanted of a pair; gradients that are not are null.
template <class T>
struct Wanted {
  double* score;
  int32_t* status;
  int64_t* constant_units;
  T *grad_x, *grad_y;
};

template <class T, class Output>
void differentiate(const MatrixRef<const T>& x, const MatrixRef<const T>& y,
                   const KernelOptions& options, int threads, const Wanted<T>& out);

// The same in double.
void differentiate_widened(const MatrixRef<const float>& x, const MatrixRef<const float>& y,
                           const KernelOptions& options, int threads, const Wanted<float>& out) {
  struct Wide {
    std::vector<double> values, gradient;
    MatrixRef<const double> view;
  };
  const auto widen = [](const MatrixRef<const float>& narrow, bool wanted) {
    Wide wide;
    wide.values.resize(size_t(narrow.rows * narrow.cols));
    for (int64_t i = 0; i < narrow.rows; ++i) {
      for (int64_t j = 0; j < narrow.cols; ++j) {
        wide.values[i * narrow.cols + j] = double(narrow(i, j));
      }
    }
    wide.gradient.resize(wanted ? wide.values.size() : 0);
    wide.view = {wide.values.data(), narrow.rows, narrow.cols, narrow.cols, 1};
    return wide;
  };
  Wide a = widen(x, out.grad_x), b = widen(y, out.grad_y);
  differentiate<double, float>(
      a.view, b.view, options, threads,
      {out.score, out.status, out.constant_units, out.grad_x ? a.gradient.data() : nullptr,
       out.grad_y ? b.gradient.data() : nullptr});
  std::copy(a.gradient.begin(), a.gradient.end(), out.grad_x);
  std::copy(b.gradient.begin(), b.gradient.end(), out.grad_y);
}

template <class T, class Output>
void differentiate(const MatrixRef<const T>& x, const MatrixRef<const T>& y,
                   const KernelOptions& options, int threads, const Wanted<T>& out) {
  Side<T> a, b;
  a.prepare(x, options, threads);
  b.prepare(y, options, threads);
  if constexpr (sizeof(T) == sizeof(float)) {
    const double cosine =
        std::abs(inner(a.kernel(), b.kernel())) / std::sqrt(a.square()) / std::sqrt(b.square());
    if (a.is_lossy() || b.is_lossy() || (options.normalize && cosine > kSafeCosine)) {
      differentiate_widened(x, y, options, threads, out);
      return;
    }
  }
  out.status[0] = a.status();
  out.status[1] = b.status();
  out.constant_units[0] = a.constant_units();
  out.constant_units[1] = b.constant_units();
  if (a.status() == kKernelOk && b.status() == kKernelOk) {
    bool overflow;
    *out.score =
        pair_gradients<T, Output>(a, b, x.rows, options, threads, out.grad_x, out.grad_y, overflow);
    if (overflow) out.status[0] = out.status[1] = kKernelOverflow;
    return;
  }
  *out.score = std::numeric_limits<double>::quiet_NaN();
  if (out.grad_x) std::fill_n(out.grad_x, x.rows * x.cols, T(*out.score));
  if (out.grad_y) std::fill_n(out.grad_y, y.rows * y.cols, T(*out.score));
}

}  // namespace

template <class T>
void kernel_gradients(const std::vector<MatrixRef<const T>>& x,
                      const std::vector<MatrixRef<const T>>& y, const KernelOptions& options,
                      int threads, double* scores, int32_t* status, int64_t* constant_units,
                      const std::vector<T*>& grad_x, const std::vector<T*>& grad_y) {
  parallel_for(int64_t(x.size()), threads, [&](int64_t k, int) {
    differentiate<T, T>(x[k], y[k], options, threads,
                        {scores + k, status + 2 * k, constant_units + 2 * k, grad_x[k], grad_y[k]});
  });
}

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template void kernel_gradients<T>(const std::vector<MatrixRef<const T>>&,                       \
                                    const std::vector<MatrixRef<const T>>&, const KernelOptions&, \
                                    int, double*, int32_t*, int64_t*, const std::vector<T*>&,     \
                                    const std::vector<T*>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

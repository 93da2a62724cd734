#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/projected.h"
#include "linalg/weighted_rows.h"

// With both estimators as c <C(K), C(L)> (see projected.h) d HSIC(K, L) / dK = c C(L),
// d HSIC(K, K) / dK = 2 c C(K), and
//   d CKA / dK = C(L) / (|C(K)| |C(L)|) - CKA C(K) / |C(K)|^2,
// followed by the kernel's derivative by products or squared distances of samples.

namespace likewise {
namespace {

// Float does not do for a projected matrix below this share of its kernel, nor for samples that are
// this far from the origin in units of the bandwidth, nor for two kernels this near each other, of
// which the gradient of CKA is what is left.
constexpr double kSafeShare = 1.0 / 4096, kSafeNorm = 256, kSafeCosine = 1 - 1e-3;

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

template <class T>
class Side : public ProjectedKernel<T> {
 public:
  // Whether float has lost too many digits on the way.
  bool is_lossy() const {
    const double* const norms = this->item().norms;
    const double largest = *std::max_element(norms, norms + n());
    const bool far =
        this->scaled.function == KernelFunction::rbf && this->scaled.gamma * largest > kSafeNorm;
    return far || this->square < kSafeShare * this->size;
  }

  // out = gradient by the samples, given the one by the kernel matrix (overwritten), which is in
  // units of 2^exponent.
  void pull_back(std::vector<double>& by_kernel, double factor, int64_t exponent, int threads,
                 T* out) const {
    const int64_t d = this->cols;
    factor = std::ldexp(factor, int(exponent) + std::ilogb(this->item().scale));
    const auto weigh = [&](double times) {
      weighted_rows(n(), d, times * factor, by_kernel, this->samples.data(), threads, out);
    };
    const KernelFunction function = this->options->function;
    if (function == KernelFunction::linear) {
      weigh(2);
      return;
    }
    for (int64_t k = 0; k < n() * n(); ++k) by_kernel[k] *= this->slope[k];
    if (function == KernelFunction::polynomial) {
      weigh(2);
      centre(out);
      return;
    }
    const bool median = this->options->median;
    const double by_median = median ? gradient_by_median(by_kernel) : 0;
    for (double& weight : by_kernel) weight *= 4;
    if (median) add_median(by_median, by_kernel);
    to_laplacian(n(), by_kernel);
    weigh(1);
  }

 private:
  int64_t n() const { return this->rows; }

  // The polynomial kernel sees the samples centred.
  void centre(T* out) const {
    const int64_t d = this->cols;
    std::vector<double> mean(size_t(d), 0.0);
    for (int64_t i = 0; i < n(); ++i) {
      for (int64_t j = 0; j < d; ++j) mean[j] += double(out[i * d + j]);
    }
    for (int64_t i = 0; i < n(); ++i) {
      for (int64_t j = 0; j < d; ++j) {
        out[i * d + j] = T(double(out[i * d + j]) - mean[j] / double(n()));
      }
    }
  }

  // K = exp(-g D) with g = 1 / (2 sigma^2), whose derivative by g is -D K = D slope / g; sigma is
  // the bandwidth's factor times the median, so that g changes by -2 g / median.
  double gradient_by_median(const std::vector<double>& by_squares) const {
    return -2 * inner(by_squares, this->squares) / (this->item().sigma / this->options->bandwidth);
  }

  // The median is the mean of the two middle distances, |x_p - x_q| of two pairs: the first ones at
  // these distances.
  void add_median(double by_median, std::vector<double>& weights) const {
    std::vector<double> sorted;
    sorted.reserve(size_t(n() * (n() - 1) / 2));
    for (int64_t i = 0; i < n(); ++i) {
      const auto row = this->squares.begin() + i * n();
      sorted.insert(sorted.end(), row, row + i);
    }
    const int64_t count = int64_t(sorted.size());
    const auto lower = sorted.begin() + (count - 1) / 2;
    std::nth_element(sorted.begin(), lower, sorted.end());
    const auto upper = count % 2 ? lower : std::min_element(lower + 1, sorted.end());
    for (const double square : {*lower, *upper}) {
      const int64_t pair = first_at(square);
      const double weight = by_median / 2 / std::sqrt(square);
      weights[pair] += weight;
      weights[pair % n() * n() + pair / n()] += weight;
    }
  }

  int64_t first_at(double square) const {
    for (int64_t i = 0; i < n(); ++i) {
      for (int64_t j = 0; j < i; ++j) {
        if (this->squares[i * n() + j] == square) return i * n() + j;
      }
    }
    throw InternalError("no two samples at the median distance");
  }
};

// Returns the score.
template <class T, class Output>
double pair_gradients(const Side<T>& a, const Side<T>& b, int threads, T* grad_x, T* grad_y,
                      bool& overflow) {
  const KernelOptions& options = *a.options;
  const double product = inner(a.kernel, b.kernel);
  const ScoreUnits units(a, b);
  std::vector<double> by_kernel(a.kernel.size());
  const auto pull = [&](const Side<T>& side, const Side<T>& other, T* out) {
    const double of_own = options.normalize ? -product / side.square : 0;
    for (size_t k = 0; k < by_kernel.size(); ++k) {
      by_kernel[k] = other.kernel[k] + of_own * side.kernel[k];
    }
    side.pull_back(by_kernel, units.scale, units.exponent, threads, out);
  };
  if (grad_x) pull(a, b, grad_x);
  if (grad_y) pull(b, a, grad_y);
  return units.score<Output>(product, options, overflow);
}

// What is wanted of a pair, and found in its sides; gradients that are not wanted are null.
template <class T>
struct Wanted {
  double score = std::numeric_limits<double>::quiet_NaN();
  int64_t status[2] = {}, constant_units[2] = {};
  T *grad_x = nullptr, *grad_y = nullptr;
};

template <class T, class Output>
void differentiate(const MatrixRef<const T>& x, const MatrixRef<const T>& y,
                   const KernelOptions& options, int threads, Wanted<T>& out);

// The same in double.
void differentiate_widened(const MatrixRef<const float>& x, const MatrixRef<const float>& y,
                           const KernelOptions& options, int threads, Wanted<float>& out) {
  const std::vector<double> wide_x = copy_in_double(x), wide_y = copy_in_double(y);
  std::vector<double> by_x(out.grad_x ? wide_x.size() : 0), by_y(out.grad_y ? wide_y.size() : 0);
  Wanted<double> wide;
  if (out.grad_x) wide.grad_x = by_x.data();
  if (out.grad_y) wide.grad_y = by_y.data();
  differentiate<double, float>({wide_x.data(), x.rows, x.cols, x.cols, 1},
                               {wide_y.data(), y.rows, y.cols, y.cols, 1}, options, threads, wide);
  out.score = wide.score;
  std::copy_n(wide.status, 2, out.status);
  std::copy_n(wide.constant_units, 2, out.constant_units);
  std::copy(by_x.begin(), by_x.end(), out.grad_x);
  std::copy(by_y.begin(), by_y.end(), out.grad_y);
}

template <class T, class Output>
void differentiate(const MatrixRef<const T>& x, const MatrixRef<const T>& y,
                   const KernelOptions& options, int threads, Wanted<T>& out) {
  Side<T> a, b;
  a.prepare(x, options, threads, true);
  b.prepare(y, options, threads, true);
  if constexpr (sizeof(T) == sizeof(float)) {
    const double cosine =
        std::abs(inner(a.kernel, b.kernel)) / std::sqrt(a.square) / std::sqrt(b.square);
    if (a.is_lossy() || b.is_lossy() || (options.normalize && cosine > kSafeCosine)) {
      differentiate_widened(x, y, options, threads, out);
      return;
    }
  }
  out.status[0] = a.status;
  out.status[1] = b.status;
  out.constant_units[0] = a.constant_units;
  out.constant_units[1] = b.constant_units;
  if (a.usable() && b.usable()) {
    bool overflow;
    out.score = pair_gradients<T, Output>(a, b, threads, out.grad_x, out.grad_y, overflow);
    if (overflow) out.status[0] = out.status[1] = kKernelOverflow;
    return;
  }
  if (out.grad_x) std::fill_n(out.grad_x, x.rows * x.cols, T(out.score));
  if (out.grad_y) std::fill_n(out.grad_y, y.rows * y.cols, T(out.score));
}

}  // namespace

void kernel_gradients(const ArrayRef& x, const ArrayRef& y, const KernelOptions& options,
                      int threads, double* scores, const Counts& counts, void* grad_x,
                      void* grad_y) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> xs(x), ys(y);
    parallel_for(xs.count(), threads, [&](int64_t k, int) {
      const MatrixRef<const T> of_x = xs[k], of_y = ys[k];
      Wanted<T> out;
      if (grad_x) out.grad_x = static_cast<T*>(grad_x) + k * of_x.rows * of_x.cols;
      if (grad_y) out.grad_y = static_cast<T*>(grad_y) + k * of_y.rows * of_y.cols;
      differentiate<T, T>(of_x, of_y, options, threads, out);
      scores[k] = out.score;
      set_counts(counts, k, out.constant_units, out.status);
    });
  });
}

}  // namespace likewise

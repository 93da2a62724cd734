#include "procrustes/gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

// With unit-norm X, Y and the SVD X'Y = U S V', the similarity is s = sum S and ds/dX = Y V U'
// before the norm is taken. A reshaped item is Z = W f(s) V' for X = W s V', f(s) = alpha s + 1 -
// alpha; a change of X along W A V' changes Z by the symmetric part of A times (f(s_i) - f(s_j)) /
// (s_i - s_j) = alpha and its skew part times (f(s_i) + f(s_j)) / (s_i + s_j), and one orthogonal
// to W by f(s_j) / s_j: factors on orthogonal subspaces, thus gradients transform the same way.
// Scores do not see rotations of the units: items with more units than samples, and reshaped ones,
// are replaced by W s, whose gradient times V' is theirs.

namespace likewise {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Distances below this many units of rounding of unit-norm items are 0.
constexpr double kRoundingUnits = 64;

using Matrix = std::vector<double>;

double norm_of(const Matrix& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

struct Side {
  int64_t n = 0, d = 0, r = 0;  // r: columns of z
  double unit = 1;              // samples are (x - mean) / unit
  double norm = 0;              // of the scaled samples
  Matrix left, values, right;   // their SVD, where one was needed: n x r, r, r x d
  Matrix z;                     // n x r of unit norm: what is compared
  double z_norm = 1;            // before that was made so

  bool decomposed() const { return !values.empty(); }
  bool comparable() const { return norm > 0 && std::isfinite(norm); }
};

template <class T>
Matrix centred(const MatrixRef<const T>& x, bool center, Side& side) {
  Matrix out(static_cast<size_t>(x.rows * x.cols));
  double spread = 0;
  for (int64_t j = 0; j < x.cols; ++j) {
    // Measured from the first sample, units that do not vary become exact zeros.
    const double origin = center ? double(x(0, j)) : 0;
    double mean = 0;
    for (int64_t i = 0; i < x.rows; ++i) {
      out[i * x.cols + j] = double(x(i, j)) - origin;
      mean += out[i * x.cols + j];
    }
    mean = center ? mean / double(x.rows) : 0;
    for (int64_t i = 0; i < x.rows; ++i) {
      out[i * x.cols + j] -= mean;
      spread = std::max(spread, std::abs(out[i * x.cols + j]));
    }
  }
  if (spread > 0 && std::isfinite(spread)) side.unit = std::ldexp(1.0, std::ilogb(spread));
  for (double& value : out) value /= side.unit;
  return out;
}

// False if the SVD failed.
template <class T>
bool prepare(const MatrixRef<const T>& x, const ProcrustesOptions& options, Side& side) {
  side.n = x.rows;
  side.d = side.r = x.cols;
  side.z = centred(x, options.center, side);
  side.norm = norm_of(side.z);
  if (!side.comparable()) return true;
  if (options.alpha < 1 || side.d > side.n) {
    const int64_t most = std::min(side.n, side.d);
    side.values.resize(size_t(most));
    side.left.resize(size_t(side.n * most));
    side.right.resize(size_t(most * side.d));
    if (!svd<double>(side.n, side.d, side.z.data(), side.d, side.values.data(), side.left.data(),
                     side.right.data())) {
      return false;
    }
    const double least = double(std::max(side.n, side.d)) * kEpsilon * side.values[0];
    side.r = std::count_if(side.values.begin(), side.values.end(),
                           [&](double value) { return value > least; });
    side.values.resize(size_t(side.r));
    side.z.resize(size_t(side.n * side.r));
    for (int64_t i = 0; i < side.n; ++i) {
      for (int64_t k = 0; k < side.r; ++k) {
        // alpha between 0 and 1 sees the units of the data.
        const double value = side.values[k] * (options.alpha < 1 ? side.unit : 1);
        side.left[i * side.r + k] = side.left[i * most + k];
        side.z[i * side.r + k] =
            side.left[i * side.r + k] * (options.alpha * value + 1 - options.alpha);
      }
    }
    side.left.resize(size_t(side.n * side.r));
  }
  side.z_norm = norm_of(side.z);
  for (double& value : side.z) value /= side.z_norm;
  return true;
}

// The gradient by the samples as they came, from the one by the unit-norm z (orthogonal to it).
Matrix pull_back(const Side& side, double alpha, Matrix by_z) {
  const int64_t n = side.n, d = side.d, r = side.r;
  for (double& value : by_z) value /= side.z_norm;
  if (!side.decomposed()) {
    for (double& value : by_z) value /= side.unit;
    return by_z;
  }
  Matrix within(static_cast<size_t>(r * r)), by_data = by_z;
  if (alpha == 1) {
    for (double& value : by_data) value /= side.unit;
  } else {
    // alpha H + (1 - alpha) (W skew(W'H) 2 / (s_i + s_j) + (H - W W'H) / s_j)
    gemm<double>(Op::transpose, Op::none, r, r, n, 1, side.left.data(), r, by_z.data(), r, 0,
                 within.data(), r);
    Matrix turned(static_cast<size_t>(r * r));
    for (int64_t i = 0; i < r; ++i) {
      for (int64_t j = 0; j < r; ++j) {
        const double s_i = side.values[i] * side.unit, s_j = side.values[j] * side.unit;
        turned[i * r + j] =
            (within[i * r + j] - within[j * r + i]) / (s_i + s_j) - within[i * r + j] / s_j;
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < r; ++k) by_data[i * r + k] /= side.values[k] * side.unit;
    }
    gemm<double>(Op::none, Op::none, n, r, r, 1, side.left.data(), r, turned.data(), r, 1,
                 by_data.data(), r);
    for (int64_t k = 0; k < n * r; ++k) {
      by_data[k] = alpha * by_z[k] + (1 - alpha) * by_data[k];
    }
  }
  Matrix out(static_cast<size_t>(n * d));
  gemm<double>(Op::none, Op::none, n, d, r, 1, by_data.data(), r, side.right.data(), d, 0,
               out.data(), d);
  return out;
}

struct Alignment {
  double similarity = 0;
  double gap = 0;     // 1 - similarity, from the difference of the aligned items
  Matrix of_x, of_y;  // y and x rotated to each other: ds/dx and ds/dy before norms are taken
};

bool align(const Side& x, const Side& y, Alignment& out) {
  const int64_t n = x.n, p = x.r, q = y.r, most = std::min(p, q);
  Matrix product(static_cast<size_t>(p * q)), values(static_cast<size_t>(most));
  Matrix left(static_cast<size_t>(p * most)), right(static_cast<size_t>(most * q));
  gemm<double>(Op::transpose, Op::none, p, q, n, 1, x.z.data(), p, y.z.data(), q, 0, product.data(),
               q);
  if (!svd<double>(p, q, product.data(), q, values.data(), left.data(), right.data())) return false;

  // The narrower item, rotated into the space of the wider one, keeps its norm.
  Matrix difference = p <= q ? y.z : x.z;
  gemm<double>(Op::none, Op::none, p, q, most, 1, left.data(), most, right.data(), q, 0,
               product.data(), q);
  if (p <= q) {
    gemm<double>(Op::none, Op::none, n, q, p, 1, x.z.data(), p, product.data(), q, -1,
                 difference.data(), q);
  } else {
    gemm<double>(Op::none, Op::transpose, n, p, q, 1, y.z.data(), q, product.data(), q, -1,
                 difference.data(), p);
  }
  out.gap = std::pow(norm_of(difference), 2) / 2;

  const double least = double(std::max(p, q)) * kEpsilon * values[0];
  out.similarity = 0;
  for (int64_t k = 0; k < most; ++k) {
    if (values[k] > least) {
      out.similarity += values[k];
    } else {
      std::fill_n(right.data() + k * q, q, 0.0);
    }
  }
  gemm<double>(Op::none, Op::none, p, q, most, 1, left.data(), most, right.data(), q, 0,
               product.data(), q);
  out.of_x.resize(size_t(n * p));
  out.of_y.resize(size_t(n * q));
  gemm<double>(Op::none, Op::transpose, n, p, q, 1, y.z.data(), q, product.data(), q, 0,
               out.of_x.data(), p);
  gemm<double>(Op::none, Op::none, n, q, p, 1, x.z.data(), p, product.data(), q, 0, out.of_y.data(),
               q);
  return true;
}

// What the score's derivative is by the similarity and, unscaled, by the logarithm of the norm.
struct Slopes {
  double by_similarity = 0, by_norm_x = 0, by_norm_y = 0;
};

Slopes slopes_of(const Side& x, const Side& y, const Alignment& a,
                 const ProcrustesOptions& options) {
  if (options.score == ProcrustesScore::similarity) return {1};
  if (options.score == ProcrustesScore::euclidean && !options.scale) {
    const double norm_x = x.norm * x.unit, norm_y = y.norm * y.unit;
    const double rest = std::sqrt(norm_x) * std::sqrt(norm_y) * std::sqrt(2 * a.gap);
    const double distance = std::hypot(norm_x - norm_y, rest);
    if (distance <= kRoundingUnits * kEpsilon * std::max(norm_x, norm_y)) return {};
    const double scaled_x = norm_x / distance, scaled_y = norm_y / distance;
    return {-scaled_x * norm_y, scaled_x * (norm_x - norm_y * (1 - a.gap)),
            scaled_y * (norm_y - norm_x * (1 - a.gap))};
  }
  if (std::sqrt(2 * a.gap) <= kRoundingUnits * kEpsilon) return {};
  if (options.score == ProcrustesScore::angular) return {-1 / std::sqrt(a.gap * (2 - a.gap))};
  return {-1 / std::sqrt(2 * a.gap)};
}

template <class T>
class PairGradients {
 public:
  PairGradients(const ProcrustesOptions& options) : options_(options) {}

  // False if an SVD failed.
  bool run(const MatrixRef<const T>& x, const MatrixRef<const T>& y, T* grad_x, T* grad_y) const {
    Side a, b;
    if (!prepare(x, options_, a) || !prepare(y, options_, b)) return false;
    if (!a.comparable() || !b.comparable()) {
      constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
      if (grad_x) std::fill_n(grad_x, x.rows * x.cols, kNaN);
      if (grad_y) std::fill_n(grad_y, y.rows * y.cols, kNaN);
      return true;
    }
    Alignment alignment;
    if (!align(a, b, alignment)) return false;
    const Slopes slopes = slopes_of(a, b, alignment, options_);
    write(x, a, slopes.by_similarity, slopes.by_norm_x, alignment, alignment.of_x, grad_x);
    write(y, b, slopes.by_similarity, slopes.by_norm_y, alignment, alignment.of_y, grad_y);
    return true;
  }

 private:
  void write(const MatrixRef<const T>& x, const Side& side, double by_similarity, double by_norm,
             const Alignment& alignment, const Matrix& rotated, T* out) const {
    if (!out) return;
    Matrix by_z(rotated.size());
    for (size_t k = 0; k < by_z.size(); ++k) {
      by_z[k] = by_similarity * (rotated[k] - alignment.similarity * side.z[k]);
    }
    const Matrix gradient = pull_back(side, options_.alpha, std::move(by_z));
    for (size_t k = 0; k < gradient.size(); ++k) out[k] = T(gradient[k]);
    if (by_norm == 0) return;
    // d log |X| / dX = X / |X|^2
    Side again;
    const Matrix data = centred(x, options_.center, again);
    const double factor = by_norm / (side.norm * side.norm * side.unit);
    for (size_t k = 0; k < data.size(); ++k) out[k] = T(gradient[k] + factor * data[k]);
  }

  ProcrustesOptions options_;
};

}  // namespace

void procrustes_gradients(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                          int threads, const ArrayRef* grad_x, const ArrayRef* grad_y) {
  require_same_dtype(x, y, "procrustes_gradients");
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> items_x(x), items_y(y);
    const auto item = [](const ArrayRef* grad, int64_t k) {
      return grad ? MatrixBatch<T>(*grad)[k].data : nullptr;
    };
    const PairGradients<T> gradients(options);
    Failures failures;
    parallel_for(items_x.count(), threads, [&](int64_t k, int) {
      if (!gradients.run(items_x[k], items_y[k], item(grad_x, k), item(grad_y, k))) {
        failures.add("item " + std::to_string(k));
      }
    });
    failures.raise("the singular value decomposition");
  });
}

}  // namespace likewise

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
#include "procrustes/directions.h"
#include "procrustes/gap.h"
#include "procrustes/near_identity.h"

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

struct Side {
  int64_t n = 0, d = 0, r = 0;  // r: columns of z
  double unit = 1;              // samples are (x - mean) / unit
  double norm = 0;              // of the scaled samples
  int64_t constant_units = 0, dropped_directions = 0;
  Directions svd;     // of the scaled samples, where one was needed
  Matrix norms;       // alpha = 0: of their columns, which were scaled to unit norm before
  Matrix z;           // n x r of unit norm: what is compared
  double z_norm = 1;  // before that was made so

  bool decomposed() const { return !svd.values.empty(); }
  bool comparable() const { return norm > 0 && std::isfinite(norm); }
};

// The samples centred and in units of a power of two. Measured from the first one, units that do
// not vary become exact zeros.
template <class T>
Matrix centred(const MatrixRef<const T>& x, bool center, Side& side) {
  Matrix out(static_cast<size_t>(x.rows * x.cols));
  Matrix sum(static_cast<size_t>(x.cols), 0.0), low = sum, high = sum;
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      const double value = double(x(i, j)) - (center ? double(x(0, j)) : 0);
      out[i * x.cols + j] = value;
      sum[j] += value;
      low[j] = std::min(low[j], value);
      high[j] = std::max(high[j], value);
    }
  }
  double spread = 0;
  side.constant_units = 0;
  for (int64_t j = 0; j < x.cols; ++j) {
    const double mean = center ? sum[j] / double(x.rows) : 0;
    spread = std::max({spread, high[j] - mean, mean - low[j]});
    side.constant_units += low[j] == high[j];
  }
  if (spread > 0 && std::isfinite(spread)) side.unit = std::ldexp(1.0, std::ilogb(spread));
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      double& value = out[i * x.cols + j];
      // A mean in these units, where that of denormal data is not rounded.
      value = value / side.unit - (center ? sum[j] / side.unit / double(x.rows) : 0);
    }
  }
  return out;
}

template <class T>
Columns columns_of(const MatrixRef<const T>& x, bool center, const Side& side) {
  Columns columns{x.rows, x.cols, x.cols - side.constant_units, 0, {}};
  columns.most = std::min(columns.varying, center ? x.rows - 1 : x.rows);
  for (int64_t j = 0; j < x.cols; ++j) {
    columns.noise.push_back(center ? columns.noise_of(double(x(0, j)) / side.unit) : 0);
  }
  return columns;
}

// The directions of the samples: for alpha = 0 of columns scaled to unit norm, which is an
// invertible map that no score sees. False if the SVD failed.
template <class T>
bool decompose(const MatrixRef<const T>& x, const ProcrustesOptions& options, Side& side) {
  const Columns columns = columns_of(x, options.center, side);
  Matrix work = side.z;
  if (options.alpha == 1) return existing_directions(columns, side.d, work.data(), side.svd);
  bool found;
  if (options.alpha == 0) {
    unit_columns(columns, work.data(), side.norms);
    found = existing_directions(columns, side.d, work.data(), side.svd);
  } else {
    const auto write = [&](double* out) { std::copy(side.z.begin(), side.z.end(), out); };
    found = directions_of(columns, side.d, work.data(), write, side.svd);
  }
  side.dropped_directions = columns.most - side.svd.rank;
  return found;
}

// False if the SVD failed.
template <class T>
bool prepare(const MatrixRef<const T>& x, const ProcrustesOptions& options, Side& side) {
  side.n = x.rows;
  side.d = side.r = x.cols;
  side.z = centred(x, options.center, side);
  side.norm = norm_of(side.z);
  if (!side.comparable()) return true;
  double one = 1;
  if (options.alpha < 1 || side.d > side.n) {
    if (!decompose(x, options, side)) return false;
    side.r = side.svd.rank;
    if (side.r == 0) side.norm = 0;  // all of it may be rounding
    if (!side.comparable()) return true;
    // alpha between 0 and 1 sees the units of the data; far above 1 they are brought down to it,
    // for the sake of squares.
    const bool mixed = options.alpha > 0 && options.alpha < 1;
    if (mixed) one = std::min(1 / side.unit, 1.0);
    side.z.resize(size_t(side.n * side.r));
    for (int64_t k = 0; k < side.r; ++k) {
      const double value = side.svd.values[k] * (mixed ? side.unit * one : 1);
      const double reshaped = options.alpha * value + (1 - options.alpha) * one;
      for (int64_t i = 0; i < side.n; ++i) {
        side.z[i * side.r + k] = side.svd.left[i * side.r + k] * reshaped;
      }
    }
  }
  const double norm = norm_of(side.z);
  for (double& value : side.z) value /= norm;
  side.z_norm = norm / one;
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
  const Matrix& left = side.svd.left;
  const double unit = alpha > 0 ? side.unit : 1;  // of what was decomposed, in that of the data
  Matrix within(static_cast<size_t>(r * r)), by_data = by_z;
  if (alpha == 1) {
    for (double& value : by_data) value /= unit;
  } else {
    // alpha H + (1 - alpha) (W skew(W'H) 2 / (s_i + s_j) + (H - W W'H) / s_j)
    gemm<double>(Op::transpose, Op::none, r, r, n, 1, left.data(), r, by_z.data(), r, 0,
                 within.data(), r);
    Matrix turned(static_cast<size_t>(r * r));
    for (int64_t i = 0; i < r; ++i) {
      for (int64_t j = 0; j < r; ++j) {
        const double s_i = side.svd.values[i] * unit, s_j = side.svd.values[j] * unit;
        turned[i * r + j] =
            (within[i * r + j] - within[j * r + i]) / (s_i + s_j) - within[i * r + j] / s_j;
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < r; ++k) by_data[i * r + k] /= side.svd.values[k] * unit;
    }
    gemm<double>(Op::none, Op::none, n, r, r, 1, left.data(), r, turned.data(), r, 1,
                 by_data.data(), r);
    for (int64_t k = 0; k < n * r; ++k) {
      by_data[k] = alpha * by_z[k] + (1 - alpha) * by_data[k];
    }
  }
  Matrix out(static_cast<size_t>(n * d));
  gemm<double>(Op::none, Op::none, n, d, r, 1, by_data.data(), r, side.svd.right.data(), d, 0,
               out.data(), d);
  if (alpha > 0) return out;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) {
      double& value = out[i * d + j];
      value = side.norms[j] > 0 ? value / side.norms[j] / side.unit : 0;
    }
  }
  return out;
}

struct Alignment {
  double gap = 0;   // 1 - similarity
  Matrix rotation;  // of x to y, along the directions that both have
};

// False if the SVD failed.
bool align(const Side& x, const Side& y, bool refine, Alignment& out) {
  const int64_t n = x.n, p = x.r, q = y.r, most = std::min(p, q);
  out.rotation.resize(size_t(p * q));
  Matrix values(static_cast<size_t>(most)), left(static_cast<size_t>(p * most));
  Matrix right(static_cast<size_t>(most * q));
  gemm<double>(Op::transpose, Op::none, p, q, n, 1, x.z.data(), p, y.z.data(), q, 0,
               out.rotation.data(), q);
  if (!svd<double>(p, q, out.rotation.data(), q, values.data(), left.data(), right.data())) {
    return false;
  }
  out.gap = 1;
  for (const double value : values) out.gap -= value;
  if (refine && out.gap < kFromRotationBelow) {
    ProcrustesGap<double> close;
    ProductWorkspace<double, double> workspace;
    const Item<double> left_item{x.z.data(), p}, right_item{y.z.data(), q};
    const double* m = product<double, double>(left_item, right_item, n, workspace);
    if (!close.run(left_item, right_item, n, m, q, true, out.gap)) return false;
  }
  const double least = double(std::max(p, q)) * kEpsilon * values[0];
  for (int64_t k = 0; k < most; ++k) {
    if (values[k] <= least) std::fill_n(right.data() + k * q, q, 0.0);
  }
  gemm<double>(Op::none, Op::none, p, q, most, 1, left.data(), most, right.data(), q, 0,
               out.rotation.data(), q);
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

// The gradient by one side, of which `rotated` is the other one turned to it: ds/dz before the norm
// is taken.
template <class T>
void write_gradient(const MatrixRef<const T>& x, const Side& side, const Matrix& rotated,
                    double similarity, double by_similarity, double by_norm,
                    const ProcrustesOptions& options, T* out) {
  Matrix by_z(rotated.size());
  for (size_t k = 0; k < by_z.size(); ++k) {
    by_z[k] = by_similarity * (rotated[k] - similarity * side.z[k]);
  }
  const Matrix gradient = pull_back(side, options.alpha, std::move(by_z));
  for (size_t k = 0; k < gradient.size(); ++k) out[k] = T(gradient[k]);
  if (by_norm == 0) return;
  // d log |X| / dX = X / |X|^2
  Side again;
  const Matrix data = centred(x, options.center, again);
  const double factor = by_norm / (side.norm * side.norm * side.unit);
  for (size_t k = 0; k < data.size(); ++k) out[k] = T(gradient[k] + factor * data[k]);
}

// False if an SVD failed.
template <class T>
bool pair_gradients(const MatrixRef<const T>& x, const MatrixRef<const T>& y, Side& a, Side& b,
                    const ProcrustesOptions& options, double& score, T* grad_x, T* grad_y) {
  score = std::numeric_limits<double>::quiet_NaN();
  if (!prepare(x, options, a) || !prepare(y, options, b)) return false;
  if (!a.comparable() || !b.comparable()) {
    if (grad_x) std::fill_n(grad_x, x.rows * x.cols, T(score));
    if (grad_y) std::fill_n(grad_y, y.rows * y.cols, T(score));
    return true;
  }
  Alignment found;
  if (!align(a, b, options.score != ProcrustesScore::similarity, found)) return false;
  score = procrustes_score(found.gap, a.norm * a.unit, b.norm * b.unit, options);
  const Slopes slopes = slopes_of(a, b, found, options);
  const int64_t n = a.n, p = a.r, q = b.r;
  if (grad_x) {
    Matrix turned(static_cast<size_t>(n * p));
    gemm<double>(Op::none, Op::transpose, n, p, q, 1, b.z.data(), q, found.rotation.data(), q, 0,
                 turned.data(), p);
    write_gradient(x, a, turned, 1 - found.gap, slopes.by_similarity, slopes.by_norm_x, options,
                   grad_x);
  }
  if (grad_y) {
    Matrix turned(static_cast<size_t>(n * q));
    gemm<double>(Op::none, Op::none, n, q, p, 1, a.z.data(), p, found.rotation.data(), q, 0,
                 turned.data(), q);
    write_gradient(y, b, turned, 1 - found.gap, slopes.by_similarity, slopes.by_norm_y, options,
                   grad_y);
  }
  return true;
}

}  // namespace

void procrustes_gradients(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                          int threads, double* scores, const ShapeCounts& counts,
                          const ArrayRef* grad_x, const ArrayRef* grad_y) {
  require_same_dtype(x, y, "procrustes_gradients");
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> items_x(x), items_y(y);
    const auto item = [](const ArrayRef* grad, int64_t k) {
      return grad ? MatrixBatch<T>(*grad)[k].data : nullptr;
    };
    Failures failures;
    parallel_for(items_x.count(), threads, [&](int64_t k, int) {
      Side a, b;
      if (!pair_gradients(items_x[k], items_y[k], a, b, options, scores[k], item(grad_x, k),
                          item(grad_y, k))) {
        failures.add("item " + std::to_string(k));
      }
      counts.set(k, items_x[k].cols, a);
      counts.set(items_x.count() + k, items_y[k].cols, b);
    });
    failures.raise("the singular value decomposition");
  });
}

}  // namespace likewise

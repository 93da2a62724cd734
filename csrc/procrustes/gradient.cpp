#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/linalg.h"
#include "procrustes/gap.h"
#include "procrustes/near_identity.h"
#include "procrustes/prepare.h"

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

// A representation in double, prepared with its directions.
struct Side : PreparedShape<double> {
  int64_t rows, units;

  Side(const MatrixRef<const double>& x, ShapeOptions options) : rows(x.rows), units(x.cols) {
    options.directions = true;
    ShapePreparation<double>().run(x, options, *this);
  }
  bool decomposed() const { return !directions.values.empty(); }
  bool comparable() const { return norm > 0 && std::isfinite(norm); }
};

// m (rows x cols of the side) along the units: times the directions that there are, if alpha is 0
// of columns that were scaled.
Matrix along_units(const Side& side, double alpha, const Matrix& m) {
  const int64_t kept = int64_t(side.kept.size());
  Matrix out(static_cast<size_t>(side.rows * side.units), 0.0), turned;
  if (side.decomposed()) {
    turned.resize(size_t(side.rows * kept));
    gemm<double>(Op::none, Op::none, side.rows, kept, side.cols, 1, m.data(), side.cols,
                 side.directions.right.data(), kept, 0, turned.data(), kept);
  }
  const Matrix& from = side.decomposed() ? turned : m;
  for (int64_t k = 0; k < kept; ++k) {
    const bool missing = alpha == 0 && side.column_norms[k] == 0;
    const double factor = alpha > 0 ? 1 : side.unit / side.column_norms[k];
    for (int64_t i = 0; i < side.rows && !missing; ++i) {
      out[i * side.units + side.kept[k]] = from[i * kept + k] * factor;
    }
  }
  return out;
}

// The gradient by the samples as they came, from the one by the unit-norm data (orthogonal to
// them).
Matrix pull_back(const Side& side, double alpha, Matrix by_z) {
  const int64_t n = side.rows, r = side.cols;
  for (double& value : by_z) value = value / side.reshaped_norm * side.one;
  if (!side.decomposed() || alpha == 1) return along_units(side, alpha, by_z);
  // alpha H + (1 - alpha) (W skew(W'H) 2 / (s_i + s_j) + (H - W W'H) / s_j)
  const Matrix& left = side.directions.left;
  Matrix s = side.directions.values;  // of what was decomposed, in the units of the data
  for (double& value : s) value /= alpha > 0 ? side.unit : 1;
  Matrix within(static_cast<size_t>(r * r)), turned = within, by_data = by_z;
  gemm<double>(Op::transpose, Op::none, r, r, n, 1, left.data(), r, by_z.data(), r, 0,
               within.data(), r);
  for (int64_t i = 0; i < r; ++i) {
    for (int64_t j = 0; j < r; ++j) {
      turned[i * r + j] =
          (within[i * r + j] - within[j * r + i]) / (s[i] + s[j]) - within[i * r + j] / s[j];
    }
  }
  for (int64_t k = 0; k < n * r; ++k) by_data[k] /= s[k % r];
  gemm<double>(Op::none, Op::none, n, r, r, 1, left.data(), r, turned.data(), r, 1, by_data.data(),
               r);
  for (int64_t k = 0; k < n * r; ++k) by_data[k] = alpha * by_z[k] + (1 - alpha) * by_data[k];
  return along_units(side, alpha, by_data);
}

struct Alignment {
  double gap = 0;   // 1 - similarity
  Matrix rotation;  // of x to y, along the directions that both have
};

// False if the SVD failed.
bool align(const Side& x, const Side& y, bool refine, Alignment& out) {
  const int64_t n = x.rows, p = x.cols, q = y.cols, most = std::min(p, q);
  out.rotation.resize(size_t(p * q));
  Matrix values(static_cast<size_t>(most)), left(static_cast<size_t>(p * most));
  Matrix right(static_cast<size_t>(most * q));
  gemm<double>(Op::transpose, Op::none, p, q, n, 1, x.data.data(), p, y.data.data(), q, 0,
               out.rotation.data(), q);
  if (!svd<double>(p, q, out.rotation.data(), q, values.data(), left.data(), right.data())) {
    return false;
  }
  out.gap = 1;
  for (const double value : values) out.gap -= value;
  if (refine && out.gap < kFromRotationBelow) {
    ProcrustesGap<double> close;
    ProductWorkspace<double> workspace;
    const Item<double> left_item{x.data.data(), p}, right_item{y.data.data(), q};
    const double* m = product<double>(left_item, right_item, n, workspace);
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
    const double norm_x = x.norm, norm_y = y.norm;
    const double distance = procrustes_score(a.gap, norm_x, norm_y, options);
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
void write_gradient(const MatrixRef<const double>& x, const Side& side, const Matrix& rotated,
                    double similarity, double by_similarity, double by_norm,
                    const ProcrustesOptions& options, void* grad, int64_t item) {
  Matrix by_z(rotated.size());
  for (size_t k = 0; k < by_z.size(); ++k) {
    by_z[k] = by_similarity * (rotated[k] - similarity * side.data[k]);
  }
  Matrix gradient = pull_back(side, options.alpha, std::move(by_z));
  if (by_norm != 0) {  // d log |X| / dX = X / |X|^2
    const Side plain(x, {options.center});
    const Matrix unit = along_units(plain, 1, plain.data);
    for (size_t k = 0; k < unit.size(); ++k) gradient[k] += by_norm / side.norm * unit[k];
  }
  std::copy(gradient.begin(), gradient.end(), static_cast<T*>(grad) + item * x.rows * x.cols);
}

// False if an SVD failed.
template <class T>
bool pair_gradients(const MatrixRef<const T>& given_x, const MatrixRef<const T>& given_y,
                    const ProcrustesOptions& options, const Counts& counts, int64_t item,
                    double& score, void* grad_x, void* grad_y) {
  const Matrix in_double[] = {copy_in_double(given_x), copy_in_double(given_y)};
  const int64_t n = given_x.rows, dx = given_x.cols, dy = given_y.cols;
  const MatrixRef<const double> x{in_double[0].data(), n, dx, dx, 1};
  const MatrixRef<const double> y{in_double[1].data(), n, dy, dy, 1};
  const Side a(x, options), b(y, options);
  count_shape(counts, item, dx, a);
  count_shape(counts, counts.items / 2 + item, dy, b);
  score = std::numeric_limits<double>::quiet_NaN();
  if (!a.converged || !b.converged) return false;
  if (!a.comparable() || !b.comparable()) {
    if (grad_x) std::fill_n(static_cast<T*>(grad_x) + item * n * dx, n * dx, T(score));
    if (grad_y) std::fill_n(static_cast<T*>(grad_y) + item * n * dy, n * dy, T(score));
    return true;
  }
  Alignment found;
  if (!align(a, b, options.score != ProcrustesScore::similarity, found)) return false;
  score = procrustes_score(found.gap, a.norm, b.norm, options);
  const Slopes slopes = slopes_of(a, b, found, options);
  const auto differentiate = [&](bool first, void* grad) {
    if (!grad) return;
    const Side &side = first ? a : b, &other = first ? b : a;
    Matrix turned(side.data.size());
    gemm<double>(Op::none, first ? Op::transpose : Op::none, n, side.cols, other.cols, 1,
                 other.data.data(), other.cols, found.rotation.data(), b.cols, 0, turned.data(),
                 side.cols);
    write_gradient<T>(first ? x : y, side, turned, 1 - found.gap, slopes.by_similarity,
                      first ? slopes.by_norm_x : slopes.by_norm_y, options, grad, item);
  };
  differentiate(true, grad_x);
  differentiate(false, grad_y);
  return true;
}

}  // namespace

void procrustes_gradients(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                          int threads, double* scores, const Counts& counts, void* grad_x,
                          void* grad_y) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> items_x(x), items_y(y);
    Failures failures;
    parallel_for(items_x.count(), threads, [&](int64_t k, int) {
      if (!pair_gradients(items_x[k], items_y[k], options, counts, k, scores[k], grad_x, grad_y)) {
        failures.add("item " + std::to_string(k));
      }
    });
    failures.raise(kShapeSvd);
  });
}

}  // namespace likewise

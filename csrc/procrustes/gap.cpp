#include "procrustes/gap.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/parallel.h"
#include "linalg/linalg.h"
#include "procrustes/near_identity.h"
#include "procrustes/prepare.h"

namespace likewise {
namespace {

// Singular values of a product below this may be noise in part: one of it per value would be an
// error of 1e-16 / sqrt(1e-10) of the angle.
constexpr double kFaint = 1e-10;

constexpr int64_t kRowsPerBlock = 256;

}  // namespace

template <class T>
bool ProcrustesGap<T>::run(const Item<T>& x, const Item<T>& y, int64_t rows, const double* m,
                           int64_t ld, bool refine, double& gap) {
  constexpr double kRefinedBelow = sizeof(T) == 4 ? kAgainInDoubleBelow : kFromRotationBelow;
  gap = 1;
  if (refine) {
    // No rotation is one of the candidates, so the trace is a bound: neighbouring checkpoints of
    // one network need not be reduced before they are refined.
    for (int64_t i = 0; i < std::min(x.cols, y.cols); ++i) gap -= m[i * ld + i];
  }
  if (!(refine && gap < kRefinedBelow)) {
    gap = 1 - nuclear_norm(reduction_.reduce(x.cols, y.cols, m, ld, 1));
    if (!(refine && gap < kRefinedBelow)) return true;
  }
  if constexpr (std::is_same_v<T, double>) {
    return from_rotation(x, y, rows, m, ld, gap);
  } else {
    gap = gap_in_double(x, y, rows);
    return true;
  }
}

template <class T>
double ProcrustesGap<T>::gap_in_double(const Item<T>& x, const Item<T>& y, int64_t rows) {
  x_.assign(x.data, x.data + rows * x.cols);
  y_.assign(y.data, y.data + rows * y.cols);
  const double* m = product<double>({x_.data(), x.cols}, {y_.data(), y.cols}, rows, product_);
  // Float items have unit norm to 1e-8 only.
  const double factor = 1 / (norm_of(rows, x.cols, x_.data()) * norm_of(rows, y.cols, y_.data()));
  return 1 - nuclear_norm(exact_.reduce(x.cols, y.cols, m, y.cols, factor));
}

// |X Q - Y|^2 / 2, with Q = U V' from the SVD U S V' of the product: its error enters squared.
template <class T>
bool ProcrustesGap<T>::from_rotation(const Item<T>& x, const Item<T>& y, int64_t rows,
                                     const double* m, int64_t ld, double& gap) {
  const int64_t p = x.cols, q = y.cols, r = std::min(p, q);
  std::vector<double>& rotation = product_.product;
  rotation.resize(size_t(p * q));
  for (int64_t i = 0; i < p; ++i) std::copy_n(m + i * ld, q, &rotation[i * q]);
  values_.resize(size_t(r));
  left_.resize(size_t(p * r));
  right_.resize(size_t(r * q));
  if (!svd<double>(p, q, rotation.data(), q, values_.data(), left_.data(), right_.data())) {
    return false;
  }
  const int64_t clear =
      std::count_if(values_.begin(), values_.end(), [](double value) { return value > kFaint; });
  if (clear < r && !align_faint(x, y, rows, clear)) return false;
  gemm<double>(Op::none, Op::none, p, q, r, 1, left_.data(), r, right_.data(), q, 0,
               rotation.data(), q);

  // The narrower item is rotated into the space of the wider one, where its norm is kept.
  const Item<T>& from = p <= q ? x : y;
  const Item<T>& to = p <= q ? y : x;
  double squares = 0;
  for_each_block(from, to, rows, [&](int64_t count) {
    gemm<double>(Op::none, p <= q ? Op::none : Op::transpose, count, to.cols, from.cols, 1,
                 x_.data(), from.cols, rotation.data(), q, -1, y_.data(), to.cols);
    for (const double value : y_) squares += value * value;
  });
  gap = squares / 2;
  return true;
}

// Directions with singular values of rounding, from `first` on: in the product they are lost, in
// the items, where they are of the order of the roots, they are not. They are aligned by products
// of their own.
template <class T>
bool ProcrustesGap<T>::align_faint(const Item<T>& x, const Item<T>& y, int64_t rows,
                                   int64_t first) {
  const int64_t p = x.cols, q = y.cols, r = std::min(p, q), k = r - first;
  std::vector<double> of_x(size_t(kRowsPerBlock * k)), of_y(of_x.size());
  std::vector<double> common(size_t(k * k)), values(static_cast<size_t>(k)), u(common.size()),
      vt(common.size()), turned(size_t(p * k));
  for_each_block(x, y, rows, [&](int64_t count) {
    gemm<double>(Op::none, Op::none, count, k, p, 1, x_.data(), p, &left_[first], r, 0, of_x.data(),
                 k);
    gemm<double>(Op::none, Op::transpose, count, k, q, 1, y_.data(), q, &right_[first * q], q, 0,
                 of_y.data(), k);
    gemm<double>(Op::transpose, Op::none, k, k, count, 1, of_x.data(), k, of_y.data(), k, 1,
                 common.data(), k);
  });
  if (!svd<double>(k, k, common.data(), k, values.data(), u.data(), vt.data())) return false;
  gemm<double>(Op::none, Op::none, k, k, k, 1, u.data(), k, vt.data(), k, 0, common.data(), k);
  gemm<double>(Op::none, Op::none, p, k, k, 1, &left_[first], r, common.data(), k, 0, turned.data(),
               k);
  for (int64_t i = 0; i < p; ++i) std::copy_n(&turned[i * k], k, &left_[i * r + first]);
  return true;
}

// Calls body(count) with `count` rows of both items in x_ and y_, in double.
template <class T>
template <class Body>
void ProcrustesGap<T>::for_each_block(const Item<T>& x, const Item<T>& y, int64_t rows,
                                      const Body& body) {
  for (int64_t row = 0; row < rows; row += kRowsPerBlock) {
    const int64_t count = std::min(kRowsPerBlock, rows - row);
    x_.assign(x.data + row * x.cols, x.data + (row + count) * x.cols);
    y_.assign(y.data + row * y.cols, y.data + (row + count) * y.cols);
    body(count);
    poll_interrupt();
  }
}

double procrustes_score(double gap, double norm_x, double norm_y,
                        const ProcrustesOptions& options) {
  const double g = gap < 0 ? 0 : gap;  // rounding; NaN stays NaN
  switch (options.score) {
    case ProcrustesScore::angular:
      return 2 * std::asin(std::sqrt(g / 2));
    case ProcrustesScore::similarity:
      return 1 - g;
    default:
      if (options.scale) return std::sqrt(2 * g);
      // |aU - bV|^2 = (a - b)^2 + 2 a b gap for unit-norm U and V; hypot cannot overflow.
      return std::hypot(norm_x - norm_y, std::sqrt(norm_x) * std::sqrt(norm_y) * std::sqrt(2 * g));
  }
}

template class ProcrustesGap<float>;
template class ProcrustesGap<double>;

}  // namespace likewise

#include "procrustes/gap.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "linalg/linalg.h"

namespace likewise {
namespace {

// The gap is known to about 1e-15 in double and 1e-8 in float, which is an error of gap error /
// angle in the angle = 2 asin(sqrt(gap / 2)). Below these gaps that would come near the promised
// 1e-12 and 1e-6. Float pairs are then computed again in double (error 5e-8 at worst, at
// congruence) and double pairs from the rotation itself.
constexpr double kAgainInDoubleBelow = 1e-3;
constexpr double kFromRotationBelow = 1e-5;

constexpr int64_t kRowsPerBlock = 256;

double norm_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

}  // namespace

template <class T>
bool ProcrustesGap<T>::run(const Item<T>& x, const Item<T>& y, int64_t rows, const double* m,
                           int64_t ld, bool refine, double& gap) {
  if (!refine) {
    gap = 1 - nuclear_norm(reduction_.reduce(x.cols, y.cols, m, ld, 1));
    return true;
  }
  if constexpr (std::is_same_v<T, double>) {
    gap = 1 - nuclear_norm(reduction_.reduce(x.cols, y.cols, m, ld, 1));
    return gap < kFromRotationBelow ? from_rotation(x, y, rows, m, ld, gap) : true;
  } else {
    // No rotation is one of the candidates, so the trace is a bound: successive checkpoints of one
    // network need not be reduced in float first.
    double trace = 0;
    for (int64_t i = 0; i < std::min(x.cols, y.cols); ++i) trace += m[i * ld + i];
    gap = 1 - trace;
    if (!(gap < kAgainInDoubleBelow)) {
      gap = 1 - nuclear_norm(reduction_.reduce(x.cols, y.cols, m, ld, 1));
    }
    if (gap < kAgainInDoubleBelow) gap = gap_in_double(x, y, rows);
    return true;
  }
}

template <class T>
double ProcrustesGap<T>::gap_in_double(const Item<T>& x, const Item<T>& y, int64_t rows) {
  x_.assign(x.data, x.data + rows * x.cols);
  y_.assign(y.data, y.data + rows * y.cols);
  const double* m =
      product<double, double>({x_.data(), x.cols}, {y_.data(), y.cols}, rows, product_);
  const double factor = 1 / (norm_of(x_) * norm_of(y_));  // float items have unit norm to 1e-8 only
  return 1 - nuclear_norm(exact_.reduce(x.cols, y.cols, m, y.cols, factor));
}

// |X Q - Y|^2 / 2, with Q from the SVD of the product: its error enters squared.
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
  gemm<double>(Op::none, Op::none, p, q, r, 1, left_.data(), r, right_.data(), q, 0,
               rotation.data(), q);

  // The narrower item is rotated into the space of the wider one, where its norm is kept.
  const Item<T>& from = p <= q ? x : y;
  const Item<T>& to = p <= q ? y : x;
  double squares = 0;
  for (int64_t row = 0; row < rows; row += kRowsPerBlock) {
    const int64_t count = std::min(kRowsPerBlock, rows - row);
    x_.assign(from.data + row * from.cols, from.data + (row + count) * from.cols);
    y_.assign(to.data + row * to.cols, to.data + (row + count) * to.cols);
    gemm<double>(Op::none, p <= q ? Op::none : Op::transpose, count, to.cols, from.cols, 1,
                 x_.data(), from.cols, rotation.data(), q, -1, y_.data(), to.cols);
    for (const double value : y_) squares += value * value;
  }
  gap = squares / 2;
  return true;
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

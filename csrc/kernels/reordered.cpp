#include "linalg/reordered.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/copy.h"
#include "core/dtype.h"
#include "kernels/features.h"
#include "kernels/projected.h"
#include "linalg/batch.h"

namespace likewise {
namespace {

// Reordering a kernel matrix takes as long per sample as this share of a product of features.
constexpr double kEntriesPerProduct = 0.15;
// The HSIC of a side with itself below this share of its terms needs projected matrices.
constexpr double kSafeShare = 1.0 / 64;

// A score of the two sides, in units that are theirs.
struct Reordered {
  const int32_t* orders;
  int64_t count, rows;
  const KernelOptions& options;
  int threads;
  double* scores;

  bool biased() const { return options.estimator == HsicEstimator::biased; }
  // sum over samples of a_i b_(order i).
  double dot(const double* a, const double* b, int64_t k) const {
    const int32_t* const order = orders + k * rows;
    double sum = 0;
    for (int64_t i = 0; i < rows; ++i) sum += a[i] * b[order[i]];
    return sum;
  }
};

// Of the linear kernel: norms do not change, |X'Y|^2 is summed anew for each order. False where
// its terms cancel.
template <class Output>
bool by_features(const MatrixRef<const double>& x, const MatrixRef<const double>& y,
                 const Reordered& to) {
  int64_t constant_units[2];
  const PreparedItems<double> sides =
      prepare_items<double>({x, y}, to.options, to.threads, constant_units);
  const double n = double(to.rows);
  // From |X'Y|^2, tr(X'X) tr(Y'Y) and sum |x|^2 |y|^2 of centred samples.
  const auto hsic = [&](double squares, double traces, double fourth) {
    if (to.biased()) return squares / ((n - 1) * (n - 1));
    const double of_all = traces / ((n - 1) * (n - 2));
    return (squares - fourth + of_all - 2 * fourth / (n - 2)) / (n * (n - 3));
  };
  std::vector<double> centred[2], buffer;
  double traces[2], scale = 1;
  int64_t exponent = 0;
  const KernelSums sums = feature_products(sides.items, 1, to.threads);
  for (int side = 0; side < 2; ++side) {
    const KernelItem<double>& item = sides.items[side];
    traces[side] = std::accumulate(item.norms, item.norms + to.rows, 0.0);
    const double fourth = row_kernels<double>().dot(item.norms, item.norms, to.rows);
    const double own = hsic(sums.self[side], traces[side] * traces[side], fourth);
    if (!to.biased() && own * n * (n - 3) < kSafeShare * sums.self[side]) return false;
    if (to.options.normalize) {
      scale /= std::sqrt(own);
    } else {
      exponent += scaled_kernel(item, to.options).exponent;
      if (traces[side] == 0) scale = std::numeric_limits<double>::quiet_NaN();
    }
    centred[side].resize(size_t(to.rows * item.x.cols));
    centred_rows(item, 0, to.rows, 0, item.x.cols, centred[side].data(), item.x.cols, buffer);
  }
  const auto score = [&](int64_t k, double squares) {
    const double fourth = to.dot(sides.items[0].norms, sides.items[1].norms, k);
    bool overflow;
    to.scores[k] =
        in_units<Output>(hsic(squares, traces[0] * traces[1], fourth) * scale, exponent, overflow);
  };
  const std::vector<Item<double>> left{{centred[0].data(), x.cols}};
  for_each_reordered<double>(centred[1].data(), to.rows, y.cols, to.orders, to.count,
                             [&](const std::vector<Item<double>>& copies, int64_t first) {
                               for_each_product<double>(
                                   left, copies, to.rows, Pairing::cross, to.threads,
                                   [&](int64_t, int64_t k, double* m, int64_t ld, int) {
                                     score(first + k, squared_norm(m, x.cols, y.cols, ld));
                                   });
                             });
  return true;
}

template <class Output>
void by_kernels(const MatrixRef<const double>& x, const MatrixRef<const double>& y,
                const Reordered& to) {
  ProjectedKernel<double> a, b;
  a.prepare(x, to.options, to.threads, false);
  b.prepare(y, to.options, to.threads, false);
  if (!a.usable() || !b.usable()) {
    std::fill_n(to.scores, to.count, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  std::vector<double> diagonals[2];
  for (int64_t i = 0; i < to.rows; ++i) {
    diagonals[0].push_back(a.kernel[i * to.rows + i]);
    diagonals[1].push_back(b.kernel[i * to.rows + i]);
  }
  const ScoreUnits units(a, b);
  reordered_products(a.kernel.data(), b.kernel.data(), to.rows, to.orders, to.count, to.threads,
                     to.scores);
  for (int64_t k = 0; k < to.count; ++k) {
    const double diagonal = to.dot(diagonals[0].data(), diagonals[1].data(), k);
    bool overflow;
    to.scores[k] = units.score<Output>(2 * to.scores[k] + diagonal, to.options, overflow);
  }
}

}  // namespace

bool kernel_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t count,
                      const KernelOptions& options, int threads, double* scores) {
  return dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixRef<const T> given_x = matrices<T>({x})[0], given_y = matrices<T>({y})[0];
    const int64_t rows = given_x.rows, dx = given_x.cols, dy = given_y.cols;
    const std::vector<double> wide_x = copy_in_double(given_x), wide_y = copy_in_double(given_y);
    const MatrixRef<const double> left{wide_x.data(), rows, dx, dx, 1};
    const MatrixRef<const double> right{wide_y.data(), rows, dy, dy, 1};
    const Reordered to{orders, count, rows, options, threads, scores};
    const bool many = rows > kMostReordered;
    if (options.function == KernelFunction::linear &&
        (many || double(rows) >= kEntriesPerProduct * double(dx) * double(dy)) &&
        by_features<T>(left, right, to)) {
      return true;
    }
    if (!many) by_kernels<T>(left, right, to);
    return !many;
  });
}

}  // namespace likewise

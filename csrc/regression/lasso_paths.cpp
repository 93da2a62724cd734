#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "assignment/match.h"
#include "core/near_one.h"
#include "core/parallel.h"
#include "linalg/linalg.h"
#include "regression/lasso.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Rows = std::vector<int32_t>;

ArrayRef matrix_of(std::vector<double>& data, int64_t cols) {
  ArrayRef out;
  out.data = data.data();
  out.ndim = 2;
  out.shape = {int64_t(data.size()) / cols, cols};
  out.strides = {cols, 1};
  return out;
}

std::vector<double> rows_of(const MatrixRef<const double>& x, const Rows& rows) {
  std::vector<double> out;
  out.reserve(rows.size() * size_t(x.cols));
  for (const int32_t i : rows) {
    for (int64_t j = 0; j < x.cols; ++j) out.push_back(x(i, j));
  }
  return out;
}

// One side of a fold: unit columns of the training rows, and the others in units of the mean and
// deviation of those.
struct Side {
  std::vector<double> train, test;
  int64_t cols;

  Side(const MatrixRef<const double>& x, const Rows& trained, const Rows& left_out)
      : train(rows_of(x, trained)), test(rows_of(x, left_out)), cols(x.cols) {
    const int64_t n = int64_t(trained.size());
    for (int64_t j = 0; j < cols; ++j) {
      const double origin = train[j];  // equal values differ by exactly zero
      double largest = 0, mean = 0, squares = 0;
      const auto offset = [&](int64_t i) { return train[i * cols + j] - origin; };
      for (int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(offset(i)));
      const double unit = near_one(largest, 1022);
      for (int64_t i = 0; i < n; ++i) mean += offset(i) * unit / double(n);
      for (int64_t i = 0; i < n; ++i) squares += std::pow(offset(i) * unit - mean, 2);
      const double deviation = std::sqrt(squares / double(n));
      for (size_t at = size_t(j); at < test.size(); at += size_t(cols)) {
        test[at] = deviation > 0 ? ((test[at] - origin) * unit - mean) / deviation : 0;
      }
    }
    const std::vector<double> given = std::exchange(train, std::vector<double>(train.size()));
    unit_columns(MatrixRef<const double>{given.data(), n, cols, cols, 1}, train.data());
  }
};

// Pearson's, 0 where either column is constant, and half the mean squared error; of columns whose
// elements are `step` apart.
std::pair<double, double> score_column(const double* predicted, const double* target, int64_t rows,
                                       int64_t step) {
  double mean_p = 0, mean_y = 0, largest = 0, errors = 0;
  bool constant_p = true, constant_y = true;
  for (int64_t at = 0; at < rows * step; at += step) {
    const double p = predicted[at], error = target[at] - p;
    mean_p += p / double(rows);
    mean_y += target[at] / double(rows);
    constant_p &= p == predicted[0];
    constant_y &= target[at] == target[0];
    largest = std::max(largest, std::abs(p));
    errors += error * error;
  }
  const double unit = largest > 0 ? 1 / largest : 1;  // squares of small predictions are numbers
  double inner = 0, squares_p = 0, squares_y = 0;
  for (int64_t at = 0; at < rows * step; at += step) {
    const double p = (predicted[at] - mean_p) * unit, y = target[at] - mean_y;
    inner += p * y;
    squares_p += p * p;
    squares_y += y * y;
  }
  const double norms = std::sqrt(squares_p * squares_y);
  const bool undefined = constant_p || constant_y || norms <= 0;
  return {undefined ? 0 : inner / norms, errors / double(2 * rows)};
}

// Arrays of one pair.
struct PairPath {
  LassoPath path;
  int64_t* missed;  // how many gaps stayed open, and the bits of the largest
};

void fit(const ArrayRef& x, const ArrayRef& y, const LassoPathsOptions& options, int threads,
         const PairPath& out) {
  const LassoOptions one{1, options.tolerance, options.penalties};
  const int64_t fits = int64_t(options.penalties.size()) * y.shape[1];
  out.missed[0] = lasso_path(x, y, one, out.path, threads);
  const double largest = *std::max_element(out.path.gap, out.path.gap + fits);
  out.missed[1] = std::bit_cast<int64_t>(largest);
}

// Adds the correlation and the loss of what this fold leaves out, divided by the number of folds.
void hold_out(const Side& x, const Side& y, const std::vector<double>& coefficients,
              const LassoPathsOptions& options, int threads, double* correlation, double* loss) {
  const int64_t rows = int64_t(x.test.size()) / x.cols;
  parallel_for(int64_t(options.penalties.size()), threads, [&](int64_t k, int) {
    std::vector<double> predicted(size_t(rows * y.cols));
    gemm<double>(Op::none, Op::transpose, rows, y.cols, x.cols, 1.0, x.test.data(), x.cols,
                 &coefficients[size_t(k * y.cols * x.cols)], x.cols, 0.0, predicted.data(), y.cols);
    for (int64_t j = 0; j < y.cols; ++j) {
      const auto [r, error] = score_column(&predicted[j], &y.test[j], rows, y.cols);
      correlation[k * y.cols + j] += r / double(options.folds);
      loss[k * y.cols + j] += error / double(options.folds);
    }
  });
}

}  // namespace

void lasso_paths(const ArrayRef& x_array, const ArrayRef& y_array, const LassoPathsOptions& options,
                 int threads, const LassoFindings& out) {
  const MatrixBatch<const double> xs(x_array), ys(y_array);
  const int64_t count = xs.count(), penalties = int64_t(options.penalties.size());
  const int64_t folds = options.folds;
  for (int64_t k = 0; k < count; ++k) {
    const MatrixRef<const double> x = xs[k], y = ys[k];
    const int64_t size = penalties * y.cols, at = k * size;
    std::vector<double> units(size_t(x.rows * x.cols)), targets(size_t(y.rows * y.cols));
    out.constant_units[k] = unit_columns(x, units.data());
    out.constant_units[count + k] = unit_columns(y, targets.data());
    const LassoPath path{out.coefficients + at * x.cols, out.objective + at, out.gap + at,
                         out.loss + at, out.correlation + at};
    fit(matrix_of(units, x.cols), matrix_of(targets, y.cols), options, threads,
        {path, out.missed + 2 * k});
    for (int64_t fold = 0, first = 0; fold < folds; ++fold) {
      if (fold == 0) {
        std::fill_n(path.correlation, size, 0.0);
        std::fill_n(path.loss, size, 0.0);
      }
      const int64_t end = first + x.rows / folds + (fold < x.rows % folds);
      const auto begin = options.order.begin();
      const Rows left_out(begin + first, begin + end);
      Rows trained(begin, begin + first);
      trained.insert(trained.end(), begin + end, options.order.end());
      first = end;
      Side a(x, trained, left_out), b(y, trained, left_out);
      std::vector<double> w(size_t(size * x.cols)), objective, gap, loss, r;
      for (auto* part : {&objective, &gap, &loss, &r}) part->resize(size_t(size));
      fit(matrix_of(a.train, x.cols), matrix_of(b.train, y.cols), options, threads,
          {{w.data(), objective.data(), gap.data(), loss.data(), r.data()},
           out.missed + 2 * (count + k * folds + fold)});
      hold_out(a, b, w, options, threads, path.correlation, path.loss);
    }
    const bool nothing = out.constant_units[k] == x.cols || out.constant_units[count + k] == y.cols;
    if (nothing) {
      std::fill_n(path.correlation, size, kNaN);
      std::fill_n(path.loss, size, kNaN);
    }
    for (int64_t f = 0; f < size; ++f) {
      const double* const w = path.coefficients + f * x.cols;
      out.used[at + f] = double(x.cols - std::count(w, w + x.cols, 0.0));
    }
    for (int64_t p = 0; p < penalties; ++p) {
      double sum = 0;
      for (int64_t j = 0; j < y.cols; ++j) sum += path.correlation[p * y.cols + j];
      out.score[k * penalties + p] = sum / double(y.cols);
      out.alphas[k * penalties + p] = options.penalties[p];
    }
  }
}

}  // namespace likewise

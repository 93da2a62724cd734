#include "driver.h"
#include "regression/cuda/lasso_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr FoldShape kShape{23, 3};  // folds of 8, 8 and 7
constexpr int kItems = 4, kFolds = 3, kModels = kItems * kFolds, kTrained = 16, kLeft = 8;

void squares() {
  const int rows = 19, cols = 37;
  const std::vector<double> host = normal<double>(size_t(2 * rows * cols));
  const OnDevice<double> x(host), sums(std::vector<double>(2 * cols + 1, -1));
  need(column_squares(x.get(), 2, rows, cols, sums.get(), stream), "squares");
  const auto found = sums.values();
  for (int k = 0; k < 2 * cols; ++k) {
    double sum = 0;
    for (int i = 0; i < rows; ++i)
      sum += std::pow(host[(k / cols * rows + i) * cols + k % cols], 2);
    expect(std::abs(found[k] - sum) <= 1e-13 * sum, "squares of a column");
  }
  expect(found[2 * cols] == -1, "beyond the columns");
}

void scales() {
  const int cols = 37;
  const std::vector<double> train = normal<double>(kModels * kTrained * cols),
                            left = normal<double>(kModels * kLeft * cols);
  std::vector<double> sums(kModels * cols);
  for (size_t k = 0; k < sums.size(); ++k) sums[k] = k % 7 == 3 ? 0 : 0.5 + double(k % 11);
  sums[5] = kNaN;
  const OnDevice<double> to_train(train), to_left(left), train_squares(sums);
  need(scale_folds({to_train.get(), to_left.get(), train_squares.get(), nullptr}, kItems, kShape,
                   cols, stream),
       "scale");
  const auto scaled = to_train.values(), scaled_left = to_left.values();
  const auto check = [&](const std::vector<double>& given, const std::vector<double>& before,
                         int rows, bool in_deviations) {
    for (size_t k = 0; k < given.size(); ++k) {
      const int model = int(k) / (rows * cols);
      const double sum = sums[size_t(model * cols) + k % cols];
      const double stay = in_deviations ? double(23 - kShape.size(model % kFolds)) : 1;
      const double wanted = sum == 0 ? 0 : before[k] * std::sqrt(stay / sum);
      expect(std::isnan(wanted) ? std::isnan(given[k]) : std::abs(given[k] - wanted) <= 1e-13,
             in_deviations ? "row left out" : "row that stays");
    }
  };
  check(scaled, train, kTrained, false);
  check(scaled_left, left, kLeft, true);
}

struct Score {
  double correlation = 0, loss = 0;
};

// Mean over folds, by one column after the other.
Score score(const std::vector<double>& p, int cols, int column, const std::vector<double>& y,
            int targets, int target, int item) {
  Score out;
  for (int fold = 0; fold < kFolds; ++fold) {
    std::vector<double> a, b;
    double errors = 0;
    for (int i = 0; i < int(kShape.size(fold)); ++i) {
      const int row = (item * kFolds + fold) * kLeft + i;
      a.push_back(p[size_t(row * cols + column)]);
      b.push_back(y[size_t(row * targets + target)]);
      errors += std::pow(a.back() - b.back(), 2) / double(kShape.size(fold));
    }
    const auto constant = [](const std::vector<double>& v) {
      return std::all_of(v.begin(), v.end(), [&](double x) { return x == v[0]; });
    };
    if (!constant(a) && !constant(b)) {
      double r = correlation(a.data(), b.data(), int(a.size()), 1, 1, 0, 0);
      for (const double v : {a[1], b[1]}) r += 0 * v;
      out.correlation += r / kFolds;
    }
    out.loss += errors / (2 * kFolds);
  }
  return out;
}

void scores() {
  const int penalties = 3, first = 2, count = 13, targets = 16, cols = penalties * count;
  std::vector<double> p = normal<double>(size_t(kModels * kLeft * cols)),
                      y = normal<double>(size_t(kModels * kLeft * targets));
  for (int i = 0; i < kModels * kLeft; ++i) {
    p[size_t(i * cols + 4)] = 0.1;         // constant predictions
    y[size_t(i * targets + 7)] = 0.1;      // a constant target
    for (int a = 0; a < penalties; ++a) {  // a good prediction
      p[size_t(i * cols + a * count + 9)] += double(a) * y[size_t(i * targets + 11)];
    }
  }
  p[size_t(1 * cols + 8)] = kNaN;
  y[size_t(1 * targets + 12)] = kNaN;
  const size_t size = size_t(kItems * penalties * targets);
  const OnDevice<double> predicted(p), left_out(y), correlations(std::vector<double>(size, -7)),
      losses(std::vector<double>(size, -7));
  const OnDevice<int64_t> constant_x(std::vector<int64_t>{0, 5, 2, 1}),
      constant_y(std::vector<int64_t>{5, 3, 16, 0});
  need(score_held_out({kShape,
                       kItems,
                       penalties,
                       first,
                       count,
                       predicted.get(),
                       left_out.get(),
                       {5, targets, constant_x.get(), constant_y.get()}},
                      correlations.get(), losses.get(), stream),
       "scores");
  const auto r = correlations.values(), loss = losses.values();
  const auto near = [](double given, double wanted) {
    return std::isnan(wanted) ? std::isnan(given) : std::abs(given - wanted) <= 1e-13;
  };
  for (int k = 0; k < int(size); ++k) {
    const int item = k / (penalties * targets), a = k / targets % penalties, t = k % targets;
    if (t < first || t >= first + count) {
      expect(r[size_t(k)] == -7 && loss[size_t(k)] == -7, "another target");
      continue;
    }
    Score wanted = score(p, cols, a * count + t - first, y, targets, t, item);
    if (item == 1 || item == 2) wanted = {kNaN, kNaN};  // a side without variance
    expect(near(r[size_t(k)], wanted.correlation), "correlation");
    if (wanted.correlation == 0) expect(r[size_t(k)] == 0, "correlation with what is constant");
    expect(near(loss[size_t(k)], wanted.loss), "loss");
  }
}

void lasso_folds() {
  squares();
  scales();
  scores();
}

const Topic topic("lasso_folds", lasso_folds);

}  // namespace
}  // namespace likewise::cuda::driver

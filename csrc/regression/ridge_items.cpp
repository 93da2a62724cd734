#include "regression/ridge_items.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace likewise {
namespace {

constexpr int64_t kMiddle = 9;           // samples whose median is the middle of a column
constexpr double kMostPenalty = 1e100;   // at which all is shrunk away
constexpr ShapeOptions kAsGiven{false};  // means are taken out by folds

// Columns times powers of two that bring their largest values near 1: squares then neither overflow
// nor vanish. The exponents are added; one for all columns if there is only one.
void bring_near_one(std::vector<double>& x, int64_t cols, std::vector<int>& exponents) {
  const int64_t rows = int64_t(x.size()) / cols;
  std::vector<double> largest(size_t(cols), 0.0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      largest[j] = std::max(largest[j], std::abs(x[i * cols + j]));
    }
  }
  if (exponents.size() == 1) {
    std::fill(largest.begin(), largest.end(), *std::max_element(largest.begin(), largest.end()));
  }
  // In two steps: the power of a denormal number is none itself.
  std::vector<double> first(static_cast<size_t>(cols)), second(static_cast<size_t>(cols));
  for (int64_t j = 0; j < cols; ++j) {
    int exponent = 0;
    if (std::isfinite(largest[j])) std::frexp(largest[j], &exponent);
    first[j] = std::ldexp(1.0, -exponent / 2);
    second[j] = std::ldexp(1.0, -exponent - -exponent / 2);
    if (j < int64_t(exponents.size())) exponents[j] -= exponent;
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) x[i * cols + j] = x[i * cols + j] * first[j] * second[j];
  }
}

// Moves columns to the middle of a few samples, which no single one can carry away: equal values
// become exact zeros, and what means are taken of is small.
void move_to_middle(std::vector<double>& x, int64_t cols) {
  const int64_t rows = int64_t(x.size()) / cols, step = std::max<int64_t>(1, rows / kMiddle);
  std::vector<double> middle(static_cast<size_t>(cols)), some;
  for (int64_t j = 0; j < cols; ++j) {
    some.clear();
    for (int64_t i = 0; i < rows && int64_t(some.size()) < kMiddle; i += step) {
      some.push_back(x[i * cols + j]);
    }
    std::sort(some.begin(), some.end());
    const size_t half = some.size() / 2;
    middle[j] = some.size() % 2 ? some[half] : (some[half - 1] + some[half]) / 2;
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) x[i * cols + j] -= middle[j];
  }
}

template <class T>
std::vector<double> scaled(const MatrixRef<const T>& x, const RidgeOptions& options,
                           std::vector<int>& exponents) {
  std::vector<double> out;
  out.reserve(size_t(x.rows * x.cols));
  for (const int32_t row : options.order) {
    for (int64_t j = 0; j < x.cols; ++j) out.push_back(double(x(row, j)));
  }
  bring_near_one(out, x.cols, exponents);
  if (!options.intercept) return out;
  move_to_middle(out, x.cols);
  bring_near_one(out, x.cols, exponents);
  return out;
}

// n |mean|^2 of data of unit norm.
double squares_of_mean(const PreparedShape<double>& shape, int64_t rows) {
  std::vector<double> sum(size_t(shape.cols), 0.0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < shape.cols; ++j) sum[j] += shape.data[i * shape.cols + j];
  }
  double squares = 0;
  for (const double s : sum) squares += s * s;
  return squares / double(rows);
}

void set_penalties(const RidgeOptions& options, int64_t units, int exponent, RidgeSource& source) {
  const int64_t rows = int64_t(options.order.size());
  const double spread = options.intercept ? 1 - squares_of_mean(source.shape, rows) : 1;
  const int64_t directions =
      std::max<int64_t>(std::min(rows - 1, units - source.shape.constant_units), 1);
  const double norm = std::ldexp(source.shape.norm, -exponent);
  for (const double alpha : options.alphas) {
    const double relative = alpha * (spread / double(directions));
    const double given = norm == 0 ? alpha : alpha / norm / norm;
    source.alphas.push_back(options.relative ? relative * norm * norm : alpha);
    source.penalties.push_back(std::min(options.relative ? relative : given, kMostPenalty));
  }
}

}  // namespace

template <class T>
std::vector<RidgeSource> ridge_sources(const std::vector<MatrixRef<const T>>& items,
                                       const RidgeOptions& options, int threads) {
  std::vector<RidgeSource> out(items.size());
  std::vector<ShapePreparation<double>> preparations(size_t(std::max(threads, 1)));
  parallel_for(int64_t(items.size()), threads, [&](int64_t k, int worker) {
    const int64_t rows = items[k].rows, cols = items[k].cols;
    std::vector<int> exponent(1, 0);
    const std::vector<double> data = scaled(items[k], options, exponent);
    preparations[worker].run({data.data(), rows, cols, cols, 1}, kAsGiven, out[k].shape);
    set_penalties(options, cols, exponent[0], out[k]);
  });
  return out;
}

template <class T>
std::vector<RidgeTarget> ridge_targets(const std::vector<MatrixRef<const T>>& items,
                                       const RidgeOptions& options, int threads) {
  std::vector<RidgeTarget> out(items.size());
  parallel_for(int64_t(items.size()), threads, [&](int64_t k, int) {
    RidgeTarget& target = out[k];
    target.cols = items[k].cols;
    target.exponents.assign(size_t(target.cols), 0);
    target.data = scaled(items[k], options, target.exponents);
    std::vector<char> varies(size_t(target.cols), false);
    for (size_t i = 0; i < target.data.size(); ++i) {
      varies[i % varies.size()] |= target.data[i] != 0;
    }
    target.constant_units = std::count(varies.begin(), varies.end(), false);
  });
  return out;
}

RidgeProblem ridge_problem(const std::vector<RidgeSource>& sources,
                           const std::vector<RidgeTarget>& targets, const RidgeOptions& options) {
  RidgeProblem problem;
  for (const RidgeSource& source : sources) {
    problem.sources.push_back({source.shape.data.data(), source.shape.cols});
    problem.penalties.push_back(source.penalties);
  }
  for (const RidgeTarget& target : targets) {
    problem.targets.push_back({target.data.data(), target.cols});
  }
  const int64_t rows = int64_t(options.order.size());
  problem.folds = {{0}, options.intercept};
  for (int64_t f = 0; f < options.folds; ++f) {
    const int64_t size = rows / options.folds + (f < rows % options.folds);
    problem.folds.edges.push_back(problem.folds.edges.back() + size);
  }
  return problem;
}

#define LIKEWISE_INSTANTIATE(T)                                                              \
  template std::vector<RidgeSource> ridge_sources<T>(const std::vector<MatrixRef<const T>>&, \
                                                     const RidgeOptions&, int);              \
  template std::vector<RidgeTarget> ridge_targets<T>(const std::vector<MatrixRef<const T>>&, \
                                                     const RidgeOptions&, int);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

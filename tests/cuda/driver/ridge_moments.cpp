#include "driver.h"
#include "regression/cuda/ridge_kernels.h"
#include "regression/cuda/ridge_moments_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSize = 4, kCount = 2, kTrained = 11;
const std::vector<double> kAlphas{1e-3, 0.2, 2.0, 50.0};

struct Problem {
  int cols;
  std::vector<double> values{3.0, 0.0, 0.7, 0.02};
  std::vector<double> moments, squares, against, products;
  double unit;

  Problem(int cols, double unit)
      : cols(cols),
        moments(normal<double>(size_t(kCount * kSize * cols))),
        squares(size_t(kCount * cols)),
        against(normal<double>(moments.size())),
        products(normal<double>(moments.size())),
        unit(unit) {
    // Some targets are mostly signal, some mostly noise, one is more than explained.
    for (int t = 0; t < kCount * cols; ++t) {
      double along = 0;
      for (int k = 0; k < kSize; ++k) {
        double& moment = moments[at(t, k)];
        // Moments along directions that are absent must not be read.
        if (values[size_t(k)] > 0) moment *= values[size_t(k)];
        if (values[size_t(k)] > 0) along += moment * moment / values[size_t(k)];
      }
      squares[size_t(t)] = t == 1 ? 0.9 * along : along + (t % 3 == 0 ? 1e-6 : 4.0 * t);
    }
  }
  size_t at(int t, int k) const { return size_t((t / cols * kSize + k) * cols + t % cols); }
};

std::vector<double> coefficients(const Problem& p, int t, double trained, int rank) {
  double freedom = trained - 1 - rank, unexplained = p.squares[size_t(t)];
  for (int k = 0; k < kSize; ++k) {
    const double moment = p.moments[p.at(t, k)];
    if (p.values[size_t(k)] > 0) unexplained -= moment * moment / p.values[size_t(k)];
  }
  unexplained = freedom > 0 ? std::max(unexplained, 0.0) : 0;
  double best = INFINITY, chosen = 0;
  for (const double alpha : kAlphas) {
    const double penalty = alpha * p.unit;
    double residual = unexplained, degrees = freedom;
    for (int k = 0; k < kSize; ++k) {
      const double value = p.values[size_t(k)], moment = p.moments[p.at(t, k)];
      if (value == 0) continue;
      const double kept = penalty / (value + penalty);
      degrees += kept;
      residual += kept * kept * moment * moment / value;
    }
    if (residual / (degrees * degrees) < best) {
      best = residual / (degrees * degrees);
      chosen = penalty;
    }
  }
  std::vector<double> out;
  for (int k = 0; k < kSize; ++k) {
    const double value = p.values[size_t(k)];
    out.push_back(value > 0 ? p.moments[p.at(t, k)] / (value + chosen) : 0);
  }
  return out;
}

void fit(int cols, bool relative, int64_t samples, double trained) {
  // Six units, of which one is constant; the mean of at most samples - 1 eigenvalues.
  const double trace = 7;
  const int64_t constant = 1,
                varying = std::max<int64_t>(std::min(samples - 1, kSize - constant), 1);
  const Problem p(cols, relative ? trace / double(varying) : 4);  // in units of 1 / 2
  const OnDevice<double> n(std::vector<double>{trained}), values(p.values), moments(p.moments);
  const OnDevice<double> squares(p.squares), given(kAlphas), traces(std::vector<double>{trace});
  const OnDevice<int64_t> rank(std::vector<int64_t>{3}), constants(std::vector<int64_t>{constant});
  const OnDevice<int64_t> all(std::vector<int64_t>{samples});
  const OnDevice<double> half(std::vector<double>{0.5});
  const OnDevice<double> out(p.moments.size()), against(p.against), products(p.products);
  const OnDevice<double> weak_from(std::vector<double>{INFINITY});
  const OnDevice<double> penalties(kAlphas.size()), chosen(size_t(kCount) * cols);
  const int64_t alphas = int64_t(kAlphas.size());
  need(scale_given({given.get(), alphas, kSize, half.get(), relative ? traces.get() : nullptr,
                    constants.get(), all.get()},
                   penalties.get(), stream),
       "penalties");
  Call call;
  const Candidates candidates = weigh_penalties(call.context(), {{0, 1},
                                                                 1,
                                                                 kSize,
                                                                 alphas,
                                                                 values.get(),
                                                                 rank.get(),
                                                                 weak_from.get(),
                                                                 penalties.get(),
                                                                 nullptr,
                                                                 n.get()});
  const Fit problem{candidates, kCount, cols, moments.get(), squares.get(), nullptr};
  choose_penalties(call.context(), problem, {chosen.get(), nullptr, nullptr, nullptr, nullptr, 0});
  need(shrink(problem, chosen.get(), 0, out.get(), nullptr, stream), "shrink");
  const auto found = out.values();
  for (int t = 0; t < kCount * cols; ++t) {
    const auto expected = coefficients(p, t, trained, 3);
    for (int k = 0; k < kSize; ++k) {
      expect(std::abs(found[p.at(t, k)] - expected[size_t(k)]) <= 1e-12, "coefficient");
    }
  }
  // Held-out targets: one is constant.
  std::vector<double> held(p.squares.size(), 2.0);
  held[1] = 0;
  const OnDevice<double> own(held), correlation(kCount);
  const OnDevice<double> gram(std::vector<double>(kSize * kSize, 1));
  need(correlate_moments(
           {kSize, kCount, cols, gram.get(), out.get(), against.get(), products.get(), own.get()},
           correlation.get(), stream),
       "correlate");
  const auto scores = correlation.values();
  for (int target = 0; target < kCount; ++target) {
    double sum = 0;
    for (int column = 0; column < cols; ++column) {
      const int t = target * cols + column;
      double inner = 0, quadratic = 0;
      for (int k = 0; k < kSize; ++k) {
        inner += found[p.at(t, k)] * p.against[p.at(t, k)];
        quadratic += found[p.at(t, k)] * p.products[p.at(t, k)];
      }
      const double squares_of = held[size_t(t)];
      if (squares_of == 0 || quadratic <= 0) continue;
      sum += std::clamp(inner / std::sqrt(quadratic * squares_of), -1.0, 1.0);
    }
    expect(std::abs(scores[size_t(target)] - sum / cols) <= 1e-12, "correlation");
  }
}

void means() {
  constexpr int kFolds = 3, kRows = 18, kCols = 17, kPairs = kRows * kCols;
  const std::vector<double> x = normal<double>(kFolds * kPairs);
  std::vector<double> rows(kRows, 1.0), cols(kCols, 2.0);
  rows[4] = cols[6] = 0;
  const OnDevice<double> there(x), traces_x(rows), traces_y(cols), out(kPairs);
  need(mean_of_folds(there.get(), kFolds, kRows, kCols, traces_x.get(), traces_y.get(), out.get(),
                     stream),
       "means");
  const auto found = out.values();
  for (int k = 0; k < kPairs; ++k) {
    const double mean = (x[k] + x[kPairs + k] + x[2 * kPairs + k]) / 3;
    const bool constant = k / kCols == 4 || k % kCols == 6;
    expect(constant ? std::isnan(found[k]) : std::abs(found[k] - mean) <= 1e-14, "mean");
  }
}

void ridge_moments() {
  for (const bool relative : {false, true}) {
    fit(3, relative, 20, kTrained);
    fit(150, relative, 3, kTrained);  // more columns than threads, fewer samples than units
    fit(3, relative, 20, 4);          // no freedom is left
  }
  fit(3, true, 1, kTrained);
  means();
}

const Topic topic("ridge_moments", ridge_moments);

}  // namespace
}  // namespace likewise::cuda::driver

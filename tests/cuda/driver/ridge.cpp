#include "driver.h"
#include "regression/cuda/ridge_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr FoldShape kShape{17, 3};  // folds of 6, 6 and 5
constexpr int kItems = 2, kModels = kItems * 3, kSize = 5, kTargets = 37, kAlphas = 4, kCols = 8;
constexpr int kLeft = 6 + 1;  // rows, and how far their means are from those of the others

size_t at(int a, int n, int b) { return size_t(a) * size_t(n) + size_t(b); }

void penalties() {
  const std::vector<double> given{0.1, 1, 10, 100}, norms{3, 0};
  const std::vector<int64_t> constants{2, 20};
  const OnDevice<double> alphas(given), norm(norms), scaled(8), in_units(8);
  const OnDevice<int64_t> constant(constants);
  std::vector<double> middles(40, 0.0);
  middles[3] = 0.1;  // of item 0
  const OnDevice<double> means(middles);
  for (const bool relative : {true, false}) {
    for (const int rows : {5, 90}) {
      need(scale_penalties({alphas.get(), norm.get(), rows == 5 ? nullptr : means.get(),
                            constant.get(), 2, 4, rows, 20, relative, scaled.get(), in_units.get()},
                           stream),
           "penalties");
      const auto found = scaled.values(), own = in_units.values();
      for (int k = 0; k < 8; ++k) {
        const double spread = rows == 90 && k < 4 ? 1 - 90 * 0.01 : 1;
        const double alpha = given[size_t(k % 4)];
        const double share = (k < 4 ? std::min(rows - 1, 18) : 1) / spread;
        const double wanted = relative ? alpha / share : k < 4 ? alpha / 9 : alpha;
        const double wanted_own = relative ? alpha / share * (k < 4 ? 9 : 0) : alpha;
        expect(std::abs(found[size_t(k)] - wanted) <= 1e-14 * wanted, "penalty");
        expect(std::abs(own[size_t(k)] - wanted_own) <= 1e-14 * wanted_own, "penalty in units");
      }
    }
  }
}

void directions() {
  constexpr int kMany = 300;
  std::vector<double> host(2 * kMany);
  for (double& v : host) v = 1 + std::abs(normal<double>(1)[0]);
  host[7] = 4e-16, host[8] = 1e-9, host[kMany - 1] = 1e-9, host[kMany + 2] = 0,
  host[kMany + 299] = 0;
  for (const bool roots : {false, true}) {
    const OnDevice<double> values(host);
    const OnDevice<int64_t> ranks(2);
    const OnDevice<double> weak(2);
    // Either model has a row too few for all.
    const FoldShape shape{2 * kMany, 2};
    need(keep_directions({values.get(), 2, kMany, 40, shape, true, roots, ranks.get(), weak.get()},
                         stream),
         "directions");
    for (int m = 0; m < 2; ++m) {
      const double largest =
          *std::max_element(&host[size_t(m) * kMany], &host[size_t(m) * kMany] + kMany);
      expect(weak.values()[size_t(m)] == 0x1p-34 * (roots ? largest * largest : largest),
             "weak from");
    }
    const auto kept = values.values();
    for (int k = 0; k < 2 * kMany; ++k) {
      const double value = host[size_t(k)];
      const bool counts = value > (roots ? 1e-8 : 1e-14);
      const double wanted = roots ? value * value : value;
      const bool absent = roots ? value < 1e-14 : k == 7 || k == kMany + 2;
      const double weak = absent ? -INFINITY : -wanted;
      expect(kept[size_t(k)] == (counts ? wanted : weak), "direction");
    }
    expect(ranks.values() == std::vector<int64_t>({roots ? kMany - 3 : kMany - 1, kMany - 2}),
           "rank");
  }
}

// Planted models, with one direction that counts from a penalty on, and a target without variance.
constexpr double kWeakFrom = 25;

struct Case {
  std::vector<double> values, moments, squares, scaled, in_units, predictions, left_out, held;
  std::vector<int64_t> ranks, constant_x{0, 0}, constant_y{1, 4};

  // Item 1 has no variance in x, or in y.
  explicit Case(bool in_x)
      : values(kModels * kSize),
        moments(normal<double>(kModels * kSize * kTargets)),
        squares(kModels * kTargets),
        scaled{0.1, 2, 30, 400, 0.2, 3, 40, 500},
        in_units(8),
        predictions(normal<double>(kModels * kLeft * kTargets)),
        left_out(normal<double>(kModels * kLeft * kTargets)),
        held(kModels * kTargets),
        ranks(kModels, kSize - 1) {
    (in_x ? constant_x : constant_y)[1] = in_x ? kCols : kTargets;
    for (double& v : values) v = 0.5 + std::abs(normal<double>(1)[0]);
    for (int m = 0; m < kModels; ++m) values[at(m, kSize, m % kSize)] = -0.01 * (m % 3);
    for (size_t k = 0; k < 8; ++k) in_units[k] = scaled[k] * 9;
    for (int m = 0; m < kModels; ++m) {
      const int rows = int(kShape.size(m % 3));
      for (int t = 0; t < kTargets; ++t) {
        double sum = 0, mean = 0, of_left = 0;
        for (int k = 0; k < kSize; ++k) {
          const double b = moments[at(m, kSize, k) * kTargets + size_t(t)];
          const double value = values[at(m, kSize, k)];
          if (value > 0) sum += b * b / value;
        }
        squares[at(m, kTargets, t)] =
            sum * (t % 3 == 0 ? 0.3 : 1 + 0.3 * t);  // 0.3: as by rounding
        for (int i = 0; i < rows; ++i) mean += y(m, i, t) / rows;
        for (int i = 0; i < rows; ++i) of_left += std::pow(y(m, i, t) - mean, 2);
        held[at(m, kTargets, t)] = t == 4 ? 0 : of_left;
      }
      for (int i = 0; i < kLeft; ++i) p(m, i, 5) = 0.25;  // a constant prediction
      for (int t = 6; t < kTargets; ++t) {  // some of their correlations round to more than 1
        for (int i = 0; i < kLeft && t % 2 == 0; ++i) p(m, i, t) = 0.1 * t * y(m, i, t);
      }
    }
  }
  double& p(int m, int i, int t) { return predictions[at(m, kLeft, i) * kTargets + size_t(t)]; }
  double& y(int m, int i, int t) { return left_out[at(m, kLeft, i) * kTargets + size_t(t)]; }
};

// The place of the smallest generalised cross-validation.
int best_penalty(const Case& c, int m, int t, int rank) {
  double least = INFINITY;
  int which = 0;
  const double trained = double(kShape.rows - kShape.size(m % 3));
  for (int a = 0; a < kAlphas; ++a) {
    const double penalty = c.scaled[at(m / 3, kAlphas, a)];
    double unexplained = c.squares[at(m, kTargets, t)], residual = 0, freedom = trained - 1 - rank;
    const bool fits_all = freedom <= 0;
    for (int k = 0; k < kSize; ++k) {
      const double value = c.values[at(m, kSize, k)];
      const double b = c.moments[at(m, kSize, k) * kTargets + size_t(t)];
      if (value <= 0) {
        const double shrunk = penalty < kWeakFrom ? 0 : 1 / (penalty - value);
        freedom += value * shrunk;
        residual -= (2 * penalty - value) * shrunk * shrunk * b * b;
        continue;
      }
      const double kept = penalty / (value + penalty);
      unexplained -= b * b / value;
      residual += kept * kept * b * b / value;
      freedom += kept;
    }
    residual = std::max(residual + (fits_all ? 0 : std::max(unexplained, 0.0)), 0.0);
    if (residual / freedom / freedom < least) least = residual / freedom / freedom, which = a;
  }
  return which;
}

void fits(int rank, bool in_x) {
  Case c(in_x);
  std::fill(c.ranks.begin(), c.ranks.end(), rank);
  const OnDevice<double> values(c.values), moments(c.moments), squares(c.squares), scaled(c.scaled),
      in_units(c.in_units), chosen(kModels * kTargets), alpha(kModels * kTargets),
      coefficients(c.moments.size());
  const OnDevice<int64_t> ranks(c.ranks), constant_x(c.constant_x), constant_y(c.constant_y);
  const OnDevice<unsigned long long> counts(std::vector<unsigned long long>(kAlphas, 0));
  const OnDevice<double> weak_from(std::vector<double>(kModels, kWeakFrom));
  Call call;
  const Candidates candidates =
      weigh_penalties(call.context(), {kShape, kModels, kSize, kAlphas, values.get(), ranks.get(),
                                       weak_from.get(), scaled.get(), in_units.get()});
  const Fit fit{candidates, 1, kTargets, moments.get(), squares.get(), nullptr};
  const Choice choice{chosen.get(),     alpha.get(),      counts.get(),
                      constant_x.get(), constant_y.get(), kCols};
  choose_penalties(call.context(), fit, choice);
  const auto penalty = chosen.values(), in_own = alpha.values();
  std::vector<unsigned long long> wanted(kAlphas);
  for (int m = 0; m < kModels; ++m) {
    for (int t = 0; t < kTargets; ++t) {
      const int which = best_penalty(c, m, t, rank);
      wanted[size_t(which)] += m < 3;
      expect(penalty[at(m, kTargets, t)] == c.scaled[at(m / 3, kAlphas, which)], "chosen penalty");
      expect(in_own[at(m, kTargets, t)] == c.in_units[at(m / 3, kAlphas, which)], "its units");
    }
  }
  expect(counts.values() == wanted, "number of choices");
  for (const bool own : {true, false}) {
    need(shrink(fit, own ? chosen.get() : nullptr, 2, coefficients.get(), nullptr, stream),
         "shrink");
    const auto shrunk = coefficients.values();
    for (size_t k = 0; k < shrunk.size(); ++k) {
      const int m = int(k) / (kSize * kTargets), t = int(k) % kTargets;
      const double value = c.values[k / kTargets];
      const double a = own ? penalty[at(m, kTargets, t)] : c.scaled[at(m / 3, kAlphas, 2)];
      const bool counts = value > 0 || a >= kWeakFrom;
      const double coefficient = counts ? c.moments[k] / (std::abs(value) + a) : 0;
      expect(std::abs(shrunk[k] - coefficient) <= 1e-14, "coefficient");
    }
  }
}

void predictions(bool in_x) {
  Case c(in_x);
  const OnDevice<double> predicted(c.predictions), left_out(c.left_out), held_squares(c.held),
      alpha(std::vector<double>(kModels * kTargets, 1)), correlation(kModels * kTargets),
      determination(kModels * kTargets),
      errors(std::vector<double>(kItems * kAlphas * kTargets, -1)), means(kItems * kTargets),
      terms(std::vector<double>(kModels * kTargets, 1));
  const OnDevice<int64_t> constant_x(c.constant_x), constant_y(c.constant_y);
  const Held held{kShape,     kItems, kTargets, predicted.get(), left_out.get(), held_squares.get(),
                  terms.get()};
  const Choice choice{nullptr, alpha.get(), nullptr, constant_x.get(), constant_y.get(), kCols};
  need(score_predictions(held, choice, correlation.get(), determination.get(), stream), "score");
  need(average_errors(held, errors.get() + kTargets, kAlphas * kTargets, stream), "errors");
  need(mean_over(correlation.get(), kItems, 3, kTargets, means.get(), stream), "mean");
  const auto r = correlation.values(), r2 = determination.values(), own = alpha.values();
  const auto error = errors.values(), mean = means.values();
  for (size_t k = 0; k < error.size(); ++k) {
    if (k / kTargets % kAlphas != 1) expect(error[k] == -1, "error of another penalty");
  }
  for (int item = 0; item < kItems; ++item) {
    for (int t = 0; t < kTargets; ++t) {
      double over_folds = 0, mean_r = 0;
      for (int m = item * 3; m < item * 3 + 3; ++m) {
        const int rows = int(kShape.size(m % 3));
        double mean_p = 0, mean_y = 0, pp = 0, py = 0, missed = 0;
        const double apart = c.p(m, kLeft - 1, t) - c.y(m, kLeft - 1, t);
        for (int i = 0; i < rows; ++i) mean_p += c.p(m, i, t) / rows, mean_y += c.y(m, i, t) / rows;
        for (int i = 0; i < rows; ++i) {
          const double p = c.p(m, i, t), y = c.y(m, i, t);
          pp += (p - mean_p) * (p - mean_p), py += (p - mean_p) * (y - mean_y);
          missed += std::pow(p - y + apart, 2);
        }
        over_folds += missed / rows / 3;
        const double yy = c.held[at(m, kTargets, t)];
        const double wanted =
            yy == 0 || t == 5 ? 0 : std::clamp(py / std::sqrt(pp * yy), -1.0, 1.0);
        const double wanted_r2 = yy == 0 ? 0 : 1 - missed / yy;
        const size_t k = at(m, kTargets, t);
        mean_r += r[k] / 3;
        if (item == 1) {
          expect(std::isnan(r[k]) && std::isnan(r2[k]) && std::isnan(own[k]), "nothing to predict");
        } else {
          expect(std::abs(r[k] - wanted) <= 1e-13 && std::abs(r[k]) <= 1, "correlation");
          expect(std::abs(r2[k] - wanted_r2) <= 1e-12, "determination");
          expect(own[k] == 1, "penalty of a pair");
        }
      }
      const double given = error[at(item, kAlphas, 1) * kTargets + size_t(t)];
      expect(std::abs(given - over_folds) <= 1e-13, "mean error");
      const double given_mean = mean[at(item, kTargets, t)];
      expect(item == 1 ? std::isnan(given_mean) : std::abs(given_mean - mean_r) <= 1e-15, "mean");
    }
  }
  const std::vector<double> host = normal<double>(700);
  double sum = 0;
  for (const double v : host) sum += v;
  const OnDevice<double> many(host), one(1);
  need(mean_over(many.get(), 1, 700, 1, one.get(), stream), "mean");
  expect(std::abs(one.values()[0] - sum / 700) <= 1e-14, "mean of many");
}

void ridge() {
  penalties();
  directions();
  fits(kSize - 1, true);
  fits(11, false);  // as many directions as samples: fits any target
  predictions(true);
  predictions(false);
}

const Topic topic("ridge", ridge);

}  // namespace
}  // namespace likewise::cuda::driver

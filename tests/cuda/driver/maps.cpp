#include "maps/cuda/maps.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kRows = 19, kCols = 37;  // more rows than stripes, more columns than a block has
using Doubles = std::vector<double>;

bool close(double found, double wanted, double tolerance = 1e-11) {
  if (std::isnan(wanted)) return std::isnan(found);
  return std::abs(found - wanted) <= tolerance * (1 + std::abs(wanted));
}

// x (rows x m)' y (rows x n).
Doubles product(const Doubles& x, const Doubles& y, int rows) {
  const int m = int(x.size()) / rows, n = int(y.size()) / rows;
  Doubles out(size_t(m) * n);
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < m * n; ++k) out[k] += x[r * m + k / n] * y[r * n + k % n];
  }
  return out;
}

// Column 3 is constant, column 5 has a NaN, and all are far from zero.
template <class T>
void centred_columns() {
  std::vector<T> host = normal<T>(kRows * kCols);
  for (T& value : host) value += T(100);
  for (int i = 0; i < kRows; ++i) host[i * kCols + 3] = T(0.1);
  host[4 * kCols + 5] = T(NAN);
  const OnDevice<T> x(host), back(host.size());
  const OnDevice<double> data(host.size()), mean(kCols), deviation(kCols), moved(host.size());
  need(centre_columns<T>(x.get(), kRows, kCols, {data.get(), mean.get(), deviation.get()}, stream),
       "centre");
  need(subtract_mean<T>(x.get(), mean.get(), kRows, kCols, moved.get(), stream), "subtract");
  need(add_mean<T>(moved.get(), mean.get(), kRows, kCols, back.get(), stream), "add");
  const auto centred = data.values(), means = mean.values(), deviations = deviation.values();
  const auto subtracted = moved.values();
  const auto returned = back.values();
  for (int j = 0; j < kCols; ++j) {
    double sum = 0, squares = 0;
    for (int i = 0; i < kRows; ++i) sum += double(host[i * kCols + j]) / kRows;
    for (int i = 0; i < kRows; ++i) squares += std::pow(double(host[i * kCols + j]) - sum, 2);
    expect(close(means[j], sum), "mean");
    const double wanted = j == 3 ? 0 : std::sqrt(squares / kRows);
    expect(j == 3 ? deviations[j] == 0 : close(deviations[j], wanted), "deviation");
    for (int i = 0; i < kRows; ++i) {
      const int at = i * kCols + j;
      expect(close(centred[at], double(host[at]) - sum), "centred value");
      expect(close(subtracted[at], double(host[at]) - sum), "value without its mean");
      expect(close(double(returned[at]), j == 5 ? NAN : double(host[at]), 1e-6), "and with it");
    }
  }
}

// A planted rotation with a scale, of centred data; then data that do not vary.
void rotations() {
  constexpr int kUnits = 3;
  const Doubles x = normal<double>(kRows * kUnits);
  const double turn[] = {0.6, 0.8, 0, -0.8, 0.6, 0, 0, 0, -1};
  Doubles y(x.size());
  for (int k = 0; k < kRows * kUnits; ++k) {
    for (int i = 0; i < kUnits; ++i) {
      y[k] += 2.5 * x[k / kUnits * kUnits + i] * turn[i * kUnits + k % kUnits];
    }
  }
  const OnDevice<double> a(x), b(y), zeros(Doubles(x.size())), weights(kUnits * kUnits);
  Call call;
  fit_rotation(call.context(), a.get(), b.get(), {kRows, kUnits, kUnits}, true, weights.get());
  const auto found = weights.values();
  for (int k = 0; k < kUnits * kUnits; ++k) expect(close(found[k], 2.5 * turn[k]), "rotation");
  fit_rotation(call.context(), zeros.get(), zeros.get(), {kRows, kUnits, kUnits}, true,
               weights.get());
  for (const double value : weights.values()) expect(value == 0, "rotation of nothing");
}

void plans() {
  constexpr int kMore = 11;  // 37 units of x, 11 of y
  std::vector<int64_t> host(kCols, -1);
  for (int j = 0; j < kMore - 1; ++j) host[3 * j + 2] = kMore - 1 - j;  // unit 0 has no partner
  const OnDevice<int64_t> partners(host);
  const OnDevice<double> plan(kCols * kMore), weights(kCols * kMore);
  need(plan_of_partners(partners.get(), kCols, kMore, plan.get(), stream), "partners");
  const auto shares = plan.values();
  for (int k = 0; k < kCols * kMore; ++k) {
    expect(shares[k] == (host[k / kMore] == k % kMore ? 1.0 / kMore : 0), "share of a partner");
  }
  Doubles mixed = normal<double>(kCols * kMore), own = normal<double>(kCols);
  const Doubles others = normal<double>(kMore);
  for (int k = 0; k < kCols * kMore; ++k) mixed[k] = k % kMore == 4 ? 0 : std::abs(mixed[k]);
  own[7] = 0;
  const OnDevice<double> given(mixed), deviation_x(own), deviation_y(others);
  Call call;
  fit_plan(call.context(), given.get(), deviation_x.get(), deviation_y.get(), {0, kCols, kMore},
           weights.get());
  const auto found = weights.values();
  for (int k = 0; k < kCols * kMore; ++k) {
    double sum = 0;
    for (int i = 0; i < kCols; ++i) sum += mixed[i * kMore + k % kMore];
    const bool none = k % kMore == 4 || k / kMore == 7;
    expect(close(found[k], none ? 0 : mixed[k] / sum / own[k / kMore] * others[k % kMore]),
           "weight of a plan");
  }
  scale_coefficients(call.context(), given.get(), deviation_x.get(), deviation_y.get(),
                     {0, kCols, kMore}, weights.get());
  const auto scaled = weights.values();
  for (int k = 0; k < kCols * kMore; ++k) {
    const int unit = k / kMore, target = k % kMore;
    const double wanted = unit == 7 ? 0 : mixed[target * kCols + unit] / own[unit] * others[target];
    expect(close(scaled[k], wanted), "scaled coefficient");
  }
  const Doubles x = normal<double>(kRows * kCols), y = normal<double>(kRows * kMore);
  const OnDevice<double> a(x), b(y), out(2);
  score_plan(call.context(), given.get(), a.get(), b.get(), {kRows, kCols, kMore}, out.get());
  double inner = 0, mass = 0;
  for (int k = 0; k < kCols * kMore; ++k) {
    inner += mixed[k] * correlation(x.data(), y.data(), kRows, kCols, kMore, k / kMore, k % kMore) /
             kMore;
    mass += mixed[k] / kMore;
  }
  expect(close(out.values()[0], inner) && close(out.values()[1], mass), "score of a plan");
}

// Weights that solve (X'X + alpha) W = X'Y.
void ridge() {
  constexpr int kUnits = 4, kTargets = 2;
  Doubles x = normal<double>(kRows * kUnits), y = normal<double>(kRows * kTargets);
  for (Doubles* side : {&x, &y}) {
    const int cols = int(side->size()) / kRows;
    for (int j = 0; j < cols; ++j) {
      double mean = 0;
      for (int i = 0; i < kRows; ++i) mean += (*side)[i * cols + j] / kRows;
      for (int i = 0; i < kRows; ++i) (*side)[i * cols + j] -= mean;
    }
  }
  const OnDevice<double> a(x), b(y), weights(kUnits * kTargets), alpha(kTargets);
  Call call;
  fit_ridge(call.context(), a.get(), b.get(), {kRows, kUnits, kTargets}, {3.0}, false,
            weights.get(), alpha.get());
  const auto found = weights.values();
  const Doubles gram = product(x, x, kRows), cross = product(x, y, kRows);
  for (int k = 0; k < kUnits * kTargets; ++k) {
    double sum = 3.0 * found[k];
    for (int i = 0; i < kUnits; ++i) {
      sum += gram[k / kTargets * kUnits + i] * found[i * kTargets + k % kTargets];
    }
    expect(close(sum, cross[k], 1e-9), "weights of ridge regression");
  }
  expect(alpha.values()[1] == 3.0, "penalty");
}

template <class T>
void predictions() {
  constexpr int kTargets = 3;
  const std::vector<T> x = normal<T>(kRows * kCols);
  const Doubles weights = normal<double>(kCols * kTargets);
  const Doubles mean_x = normal<double>(kCols), mean_y = normal<double>(kTargets);
  const OnDevice<T> given(x), out(kRows * kTargets);
  const OnDevice<double> w(weights), mx(mean_x), my(mean_y), coef(weights.size());
  const OnDevice<double> intercept(kTargets);
  const MapShape shape{kRows, kCols, kTargets};
  Call call;
  describe_map(call.context(), w.get(), mx.get(), my.get(), shape, coef.get(), intercept.get());
  predict<T>(call.context(), given.get(), coef.get(), mx.get(), my.get(), shape, out.get());
  const auto found = out.values();
  const auto turned = coef.values(), offsets = intercept.values();
  for (int j = 0; j < kTargets; ++j) {
    double offset = mean_y[j];
    for (int i = 0; i < kCols; ++i) {
      offset -= mean_x[i] * weights[i * kTargets + j];
      expect(turned[j * kCols + i] == weights[i * kTargets + j], "coefficient");
    }
    expect(close(offsets[j], offset), "intercept");
    for (int r = 0; r < kRows; ++r) {
      double value = offset;
      for (int i = 0; i < kCols; ++i) {
        value += double(x[r * kCols + i]) * weights[i * kTargets + j];
      }
      expect(close(double(found[r * kTargets + j]), value, sizeof(T) == 4 ? 1e-5 : 1e-11),
             "prediction");
    }
  }
}

// Column 0 is met exactly, 1 and 2 have a constant target, met or not, 3 a constant prediction, and
// 4 a NaN.
template <class T>
void scores() {
  std::vector<T> y = normal<T>(kRows * kCols), p = normal<T>(kRows * kCols);
  for (int i = 0; i < kRows; ++i) {
    T *const target = y.data() + i * kCols, *const predicted = p.data() + i * kCols;
    predicted[0] = target[0];
    target[1] = target[2] = predicted[1] = predicted[3] = T(0.1);
  }
  p[2 * kCols + 4] = T(NAN);
  const OnDevice<T> targets(y), predicted(p);
  const OnDevice<double> correlations(kCols), determination(kCols), means(2);
  need(score_columns<T>(predicted.get(), targets.get(), kRows, kCols, correlations.get(),
                        determination.get(), stream),
       "score");
  const auto r = correlations.values(), r2 = determination.values();
  for (int j = 0; j < kCols; ++j) {
    double mean = 0, squares = 0, errors = 0;
    for (int i = 0; i < kRows; ++i) mean += double(y[i * kCols + j]) / kRows;
    for (int i = 0; i < kRows; ++i) {
      squares += std::pow(double(y[i * kCols + j]) - mean, 2);
      errors += std::pow(double(y[i * kCols + j]) - double(p[i * kCols + j]), 2);
    }
    const bool constant = j == 1 || j == 2 || j == 3;
    const double wanted = j == 4     ? NAN
                          : constant ? 0
                                     : correlation(p.data(), y.data(), kRows, kCols, kCols, j, j);
    expect(close(r[j], wanted), "correlation of predictions");
    expect(close(r2[j], j == 1 ? 1 : j == 2 ? 0 : 1 - errors / squares), "determination");
  }
  if (sizeof(T) == 4) return;
  Call call;
  score_map<T>(call.context(), targets.get(), targets.get(), 1, kCols, means.get());
  expect(std::isnan(means.values()[1]), "determination of one sample");
}

void maps() {
  centred_columns<float>();
  centred_columns<double>();
  rotations();
  plans();
  ridge();
  predictions<float>();
  predictions<double>();
  scores<float>();
  scores<double>();
}

const Topic topic("maps", maps);

}  // namespace
}  // namespace likewise::cuda::driver

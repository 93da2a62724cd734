#include "procrustes/cuda/procrustes_gradient.h"

#include "driver.h"
#include "procrustes/cuda/gap_score.h"
#include "procrustes/cuda/gradient.h"

namespace likewise::cuda::driver {
namespace {

using Values = std::vector<double>;

double norm_of(const Values& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

// x (rows x cols) with its columns rotated until all are orthogonal, and their lengths: its
// singular values.
Values orthogonal_columns(Values x, int rows, int cols, Values* lengths) {
  const auto product = [&](int a, int b) {
    double sum = 0;
    for (int i = 0; i < rows; ++i) sum += x[i * cols + a] * x[i * cols + b];
    return sum;
  };
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (int b = 1; b < cols; ++b) {
      for (int a = 0; a < b; ++a) {
        const double angle = std::atan2(2 * product(a, b), product(a, a) - product(b, b)) / 2;
        for (int i = 0; i < rows; ++i) {
          const double left = x[i * cols + a], right = x[i * cols + b];
          x[i * cols + a] = std::cos(angle) * left + std::sin(angle) * right;
          x[i * cols + b] = std::cos(angle) * right - std::sin(angle) * left;
        }
      }
    }
  }
  lengths->clear();
  for (int a = 0; a < cols; ++a) lengths->push_back(std::sqrt(product(a, a)));
  return x;
}

// Centred and reshaped, of unit norm; its norm before.
Values prepared(Values x, int rows, int cols, double alpha, double* norm) {
  for (int j = 0; j < cols; ++j) {
    double mean = 0;
    for (int i = 0; i < rows; ++i) mean += x[i * cols + j] / rows;
    for (int i = 0; i < rows; ++i) x[i * cols + j] -= mean;
  }
  *norm = norm_of(x);
  Values lengths;
  x = orthogonal_columns(x, rows, cols, &lengths);
  for (int k = 0; k < rows * cols; ++k) {
    const double s = lengths[k % cols];
    x[k] *= s < 1e-6 * *norm ? 0 : (alpha * s + 1 - alpha) / s;
  }
  const double reshaped = norm_of(x);
  for (double& value : x) value /= reshaped;
  return x;
}

double score(const Values& x, int dx, const Values& y, int dy, int rows,
             const ProcrustesOptions& options) {
  double norm_x, norm_y;
  const Values a = prepared(x, rows, dx, options.alpha, &norm_x);
  const Values b = prepared(y, rows, dy, options.alpha, &norm_y);
  Values product(size_t(dx) * dy), lengths;
  for (int k = 0; k < dx * dy; ++k) {
    for (int i = 0; i < rows; ++i) product[k] += a[i * dx + k / dy] * b[i * dy + k % dy];
  }
  orthogonal_columns(product, dx, dy, &lengths);
  const double s = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  switch (gap_score(options)) {
    case GapScore::angular:
      return std::acos(s);
    case GapScore::euclidean:
      return std::sqrt(2 - 2 * s);
    case GapScore::similarity:
      return s;
    case GapScore::euclidean_unscaled:
      return std::sqrt(norm_x * norm_x + norm_y * norm_y - 2 * norm_x * norm_y * s);
  }
  return NAN;
}

void require_gradient(Values x, int dx, const Values& y, int dy, int rows,
                      const ProcrustesOptions& options, const Values& found, double tolerance,
                      const char* what) {
  constexpr double kStep = 1e-5;
  double largest = 0, error = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    const double there = x[k];
    x[k] = there + kStep;
    const double above = score(x, dx, y, dy, rows, options);
    x[k] = there - kStep;
    const double slope = (above - score(x, dx, y, dy, rows, options)) / (2 * kStep);
    x[k] = there;
    largest = std::max(largest, std::abs(slope));
    error = std::isnan(found[k]) ? INFINITY : std::max(error, std::abs(found[k] - slope));
  }
  expect(error <= tolerance * largest, what);
}

// Two pairs, and each side alone.
template <class T>
void gradients(int rows, int dx, int dy, const ProcrustesOptions& options) {
  constexpr int kPairs = 2;
  const std::vector<T> x = normal<T>(size_t(kPairs) * rows * dx);
  std::vector<T> y = normal<T>(size_t(kPairs) * rows * dy);
  for (int i = 0; i < kPairs * rows; ++i) y[size_t(i) * dy] += T(3) * x[size_t(i) * dx] + T(5);
  const OnDevice<T> there_x(x), there_y(y), by_x(x.size()), by_y(y.size());
  Call call;
  procrustes_gradients<T>(call.context(), {there_x.get(), dx}, {there_y.get(), dy}, kPairs, rows,
                          options, by_x.get(), nullptr);
  procrustes_gradients<T>(call.context(), {there_x.get(), dx}, {there_y.get(), dy}, kPairs, rows,
                          options, nullptr, by_y.get());
  constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-7;
  for (int k = 0; k < kPairs; ++k) {
    const auto item = [&](const std::vector<T>& all, int cols) {
      const auto begin = all.begin() + std::ptrdiff_t(k) * rows * cols;
      return Values(begin, begin + rows * cols);
    };
    const Values a = item(x, dx), b = item(y, dy);
    require_gradient(a, dx, b, dy, rows, options, item(by_x.values(), dx), kTolerance, "by x");
    require_gradient(b, dy, a, dx, rows, options, item(by_y.values(), dy), kTolerance, "by y");
  }
}

// Congruent items have gradient 0, constant ones none.
void nothing_to_differentiate() {
  constexpr int kRows = 6, kCols = 2, kSize = kRows * kCols;
  const Values x = normal<double>(kSize), constant(kSize, 3.0);
  Values turned(kSize);
  for (int k = 0; k < kSize; ++k) turned[k] = k % 2 ? -x[k - 1] : x[k + 1];
  const OnDevice<double> there(x), same(turned), flat(constant), by_x(kSize), by_y(kSize);
  Call call;
  for (const bool scale : {true, false}) {
    for (const double alpha : {1.0, 0.5}) {
      ProcrustesOptions options;
      options.score = ProcrustesScore::euclidean;
      options.scale = scale;
      options.alpha = alpha;
      const auto all = [&](auto&& is) {
        const Values a = by_x.values(), b = by_y.values();
        return std::all_of(a.begin(), a.end(), is) && std::all_of(b.begin(), b.end(), is);
      };
      procrustes_gradients<double>(call.context(), {there.get(), kCols}, {flat.get(), kCols}, 1,
                                   kRows, options, by_x.get(), by_y.get());
      expect(all([](double value) { return std::isnan(value); }), "NaN without a score");
      if (alpha < 1) continue;
      procrustes_gradients<double>(call.context(), {there.get(), kCols}, {same.get(), kCols}, 1,
                                   kRows, options, by_x.get(), by_y.get());
      expect(all([](double value) { return value == 0; }), "0 at congruence");
    }
  }
}

// More singular values than a warp has lanes, some of them rounding, in no order.
void many_values() {
  constexpr int kValues = 70, kRounding = 40;
  Values values;
  for (int k = 0; k < kValues; ++k) values.push_back(k == kRounding ? 1e-18 : 1 + (k * 7) % 11);
  const OnDevice<double> there(values), norm(Values{0.5}), z_norm(1), scaled(kValues);
  const OnDevice<double> kept(kValues), similarity(1);
  need(find_directions({there.get(), kValues, kValues, 90, kept.get(), similarity.get()}, stream),
       "directions");
  need(reshape_spectrum(
           {there.get(), scaled.get(), z_norm.get(), norm.get(), nullptr, kValues, 90, kValues, 1},
           stream),
       "spectrum");
  double sum = 0, squares = 0;
  for (int k = 0; k < kValues; ++k) {
    const double reshaped = k == kRounding ? 0 : values[k];
    sum += k == kRounding ? 0 : values[k];
    squares += reshaped * reshaped;
  }
  expect(std::abs(similarity.values()[0] - sum) < 1e-10, "similarity");
  const double length = std::sqrt(squares);
  expect(std::abs(z_norm.values()[0] - length / 2) < 1e-10, "norm of what was reshaped");
  for (int k = 0; k < kValues; ++k) {
    const bool rounding = k == kRounding;
    const double reshaped = rounding ? 0 : values[k] / length;
    expect(kept.values()[k] == (rounding ? 0 : 1), "directions");
    expect(there.values()[k] == (rounding ? 0 : values[k] / 2), "values of the data");
    expect(std::abs(scaled.values()[k] - reshaped) < 1e-14, "values of unit norm");
  }
}

// Values that do not exist are scaled too, and do not count.
void reshaped_values(double alpha, double size) {
  constexpr int kValues = 70;
  Values values;
  for (int k = 0; k < kValues; ++k) values.push_back(k % 10 == 3 ? 0 : 1 + (k * 7) % 11);
  const OnDevice<double> there(values), norm(Values{0.5 * size}), z_norm(1), scaled(kValues);
  const OnDevice<int64_t> existing(std::vector<int64_t>{kValues - 7});
  need(reshape_spectrum({there.get(), scaled.get(), z_norm.get(), norm.get(), existing.get(),
                         kValues, 90, kValues, alpha},
                        stream),
       "spectrum");
  const double in_data = alpha > 0 ? 0.5 * size : 1, unit = std::max(in_data, 1.0);
  double squares = 0;
  const auto reshaped = [&](double value) { return (alpha * value * in_data + 1 - alpha) / unit; };
  for (const double value : values) squares += value == 0 ? 0 : std::pow(reshaped(value), 2);
  const double length = std::sqrt(squares);
  expect(std::abs(z_norm.values()[0] / unit - length) <= 1e-12 * length, "norm that was reshaped");
  for (int k = 0; k < kValues; ++k) {
    expect(there.values()[k] == values[k] * in_data, "values of the data");
    const double wanted = reshaped(values[k]) / length;
    expect(std::abs(scaled.values()[k] - wanted) <= 1e-12 * wanted, "values of unit norm");
  }
}

// Of a constant item: nothing that a decomposition would not end on.
void no_values() {
  const OnDevice<double> values(Values(3, 0.0)), z_norm(1), scaled(3);
  const OnDevice<int64_t> existing(std::vector<int64_t>{0});
  for (const double alpha : {0.25, 1.0}) {
    const OnDevice<double> length(Values{7.0});
    need(reshape_spectrum({values.get(), scaled.get(), z_norm.get(), length.get(),
                           alpha < 1 ? existing.get() : nullptr, 3, 9, 3, alpha},
                          stream),
         "spectrum");
    for (const double value : scaled.values()) expect(value == 0, "zeros of a constant item");
    expect(length.values()[0] == (alpha < 1 ? 0 : 7), "nothing exists");
  }
}

void procrustes_gradient() {
  ProcrustesOptions options;
  gradients<double>(7, 3, 4, options);
  gradients<float>(7, 4, 2, options);
  options.score = ProcrustesScore::euclidean;
  gradients<double>(4, 6, 2, options);
  options.scale = false;
  gradients<double>(7, 3, 4, options);
  options.alpha = 0.3;
  gradients<double>(4, 6, 2, options);
  options.score = ProcrustesScore::similarity;
  gradients<double>(7, 4, 3, options);
  gradients<double>(40, 2, 3, options);
  nothing_to_differentiate();
  no_values();
  many_values();
  reshaped_values(0.25, 1);
  reshaped_values(0.25, 1e200);
  reshaped_values(0, 1e200);
}

const Topic topic("procrustes_gradient", procrustes_gradient);

}  // namespace
}  // namespace likewise::cuda::driver

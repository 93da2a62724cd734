#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "linalg/batch.h"
#include "linalg/linalg.h"
#include "naive.h"
#include "procrustes/procrustes.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

struct Shape {
  Matrix data;  // centred, reshaped, unit norm
  double norm;  // of the centred item
};

double frobenius(const Matrix& a) {
  return std::sqrt(std::inner_product(a.data.begin(), a.data.end(), a.data.begin(), 0.0));
}

Shape shape_of(Matrix x, double alpha) {
  for (int64_t j = 0; j < x.cols; ++j) {
    double mean = 0;
    for (int64_t i = 0; i < x.rows; ++i) mean += x(i, j) / double(x.rows);
    for (int64_t i = 0; i < x.rows; ++i) x(i, j) -= mean;
  }
  const double norm = frobenius(x);
  if (alpha < 1) {  // X (alpha I + (1 - alpha) (X'X)^-1/2) has singular values alpha s + 1 - alpha
    const int64_t r = std::min(x.rows, x.cols);
    Matrix copy = x, u(x.rows, r), vt(r, x.cols);
    std::vector<double> s(size_t(r), 0.0);
    CHECK(svd<double>(x.rows, x.cols, copy.data.data(), x.cols, s.data(), u.data.data(),
                      vt.data.data()));
    for (int64_t k = 0; k < r; ++k) {
      const double value = s[size_t(k)];
      const double reshaped = value > 1e-12 * norm ? alpha * value + (1 - alpha) : 0;
      for (int64_t i = 0; i < x.rows; ++i) u(i, k) *= reshaped;
    }
    x = product(u, vt);
  }
  const double reshaped_norm = frobenius(x);
  for (double& value : x.data) value /= reshaped_norm;
  return {x, norm};
}

double naive_score(const Shape& x, const Shape& y, const ProcrustesOptions& options) {
  Matrix m = product(transposed(x.data), y.data);
  std::vector<double> s(size_t(std::min(m.rows, m.cols)));
  CHECK(singular_values<double>(m.rows, m.cols, m.data.data(), m.cols, s.data()));
  const double similarity = std::accumulate(s.begin(), s.end(), 0.0);
  if (options.score == ProcrustesScore::similarity) return similarity;
  if (options.score == ProcrustesScore::angular) return std::acos(std::min(1.0, similarity));
  const double a = options.scale ? 1 : x.norm, b = options.scale ? 1 : y.norm;
  return std::sqrt(std::max(0.0, a * a + b * b - 2 * a * b * similarity));
}

ShapeCounts counts_in(std::vector<int64_t>& counts) {
  const int64_t items = int64_t(counts.size()) / 2;
  return {counts.data(), counts.data() + items, items};
}

template <class T>
void batch_matches_naive(int64_t n, int64_t dx, int64_t dy, const ProcrustesOptions& options) {
  constexpr int64_t kCount = 5;
  const Matrix x = random_matrix(kCount * n, dx, 1), y = random_matrix(kCount * n, dy, 2);
  std::vector<T> px = x.padded<T>(dx), py = y.padded<T>(dy);
  std::vector<double> scores(kCount, NAN);
  for (const int threads : {1, 3}) {
    std::vector<int64_t> counts(4 * kCount, 0);
    procrustes_pairs(array_of(px, {kCount, n, dx}), array_of(py, {kCount, n, dy}), options, threads,
                     scores.data(), counts_in(counts));
    CHECK(!counts_in(counts).any());
    for (int64_t k = 0; k < kCount; ++k) {
      Matrix a(n, dx), b(n, dy);
      std::copy_n(x.data.begin() + k * n * dx, n * dx, a.data.begin());
      std::copy_n(y.data.begin() + k * n * dy, n * dy, b.data.begin());
      const double expected =
          naive_score(shape_of(a, options.alpha), shape_of(b, options.alpha), options);
      CHECK_NEAR(scores[size_t(k)], expected, (sizeof(T) == 8 ? 1e-10 : 1e-4) * (1 + expected));
    }
  }
}

TEST(batches_of_unrelated_items) {
  for (const ProcrustesScore score :
       {ProcrustesScore::angular, ProcrustesScore::euclidean, ProcrustesScore::similarity}) {
    for (const double alpha : {1.0, 0.5}) {
      ProcrustesOptions options;
      options.score = score;
      options.alpha = alpha;
      options.scale = score != ProcrustesScore::euclidean;
      batch_matches_naive<double>(30, 5, 8, options);
      batch_matches_naive<float>(30, 5, 8, options);
      batch_matches_naive<double>(12, 40, 30, options);  // through triangular roots
    }
  }
  batch_matches_naive<double>(150, 120, 125, {});
}

template <class T>
void all_pairs_match_batches(int64_t n) {
  const std::vector<int64_t> widths{4, 9, 4, 30, 1, 17};
  std::vector<std::vector<T>> values;
  std::vector<PreparedShape<T>> prepared(widths.size());
  ShapeList<T> list;
  ShapePreparation<T> preparation;
  for (size_t k = 0; k < widths.size(); ++k) {
    values.push_back(random_matrix(n, widths[k], 7 * k).padded<T>(widths[k]));
    preparation.run({values[k].data(), n, widths[k], widths[k], 1}, {}, prepared[k]);
    list.items.push_back({prepared[k].data.data(), prepared[k].cols});
    list.norms.push_back(prepared[k].norm);
  }
  const size_t m = widths.size();
  for (const int threads : {1, 3}) {
    std::vector<double> crossed(m * m, NAN), symmetric(m * m, NAN);
    procrustes_scores(list, list, n, false, {}, threads, crossed.data());
    procrustes_scores(list, {}, n, true, {}, threads, symmetric.data());
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < m; ++j) {
        double single = NAN;
        std::vector<int64_t> counts(4, 0);
        procrustes_pairs(array_of(values[i], {n, widths[i]}), array_of(values[j], {n, widths[j]}),
                         {}, 1, &single, counts_in(counts));
        const double tolerance = sizeof(T) == 8 ? 1e-11 : 1e-5;
        CHECK_NEAR(crossed[i * m + j], single, tolerance);
        CHECK_NEAR(symmetric[i * m + j], single, tolerance);
      }
    }
  }
}

TEST(all_pairs) {
  all_pairs_match_batches<double>(40);
  all_pairs_match_batches<float>(40);
}

// With directions that the product of both loses in rounding, too.
TEST(a_rotated_and_scaled_copy_is_at_distance_zero) {
  const int64_t n = 60, d = 8;
  Matrix square = random_matrix(d, d, 2), u(d, d), vt(d, d);
  std::vector<double> s(size_t(d), 0.0);
  CHECK(svd<double>(d, d, square.data.data(), d, s.data(), u.data.data(), vt.data.data()));
  for (const double faint : {1.0, 1e-8, 0.0}) {
    Matrix x = random_matrix(n, d, 1);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = d / 2; j < d; ++j) x(i, j) *= faint;
    }
    x = product(x, transposed(u));
    const Matrix y = product(x, product(u, vt));
    std::vector<double> px = x.data, py = y.data;
    for (double& value : py) value = 3 * value + 2;
    double angle = NAN;
    std::vector<int64_t> counts(4, 0);
    procrustes_pairs(array_of(px, {n, d}), array_of(py, {n, d}), {}, 1, &angle, counts_in(counts));
    CHECK_NEAR(angle, 0, 1e-12);
  }
}

TEST(degenerate_items_are_counted) {
  std::vector<double> x = random_matrix(2 * 20, 3, 1).data, y = x;
  for (size_t i = 0; i < 20; ++i) x[3 * i + 1] = 0.1;  // a constant unit of item 0
  std::fill(x.begin() + 60, x.end(), 0.1);             // item 1 is constant
  double scores[2];
  y[5] = std::numeric_limits<double>::quiet_NaN();
  std::vector<int64_t> counts(8, 0);
  procrustes_pairs(array_of(x, {2, 20, 3}), array_of(y, {2, 20, 3}), {}, 2, scores,
                   counts_in(counts));
  CHECK((counts == std::vector<int64_t>{1, 3, -1, 0, 0, 0, 0, 0}));
  CHECK(std::isnan(scores[0]) && std::isnan(scores[1]));
}

// Orthogonal columns of mean 0 with these norms, `copies` of each, and one that is rounding of 1.
std::vector<double> waves(int64_t n, const std::vector<double>& norms, int64_t copies) {
  const int64_t kinds = int64_t(norms.size()), cols = kinds * copies + 1;
  std::vector<double> x(size_t(n * cols), 1.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < kinds * copies; ++j) {
      const double angle = 3.14159265358979323846 * (double(i) + 0.5) * double(j % kinds + 1);
      x[size_t(i * cols + j)] = norms[size_t(j % kinds)] * std::cos(angle / double(n));
    }
  }
  x.back() += 2.3e-16;
  return x;
}

TEST(directions_that_exist) {
  const int64_t n = 12;
  for (const std::vector<double>& norms : {std::vector<double>{3, 1, 1e-3}, {3, 1e-30, 1e150}}) {
    for (const int64_t copies : {1, 2, 6}) {  // through a root where they outnumber the samples
      std::vector<double> x = waves(n, norms, copies);
      const int64_t cols = int64_t(x.size()) / n;
      for (const double alpha : {0.0, 0.5, 1.0}) {
        ShapeOptions options;
        options.alpha = alpha;
        PreparedShape<double> shape;
        ShapePreparation<double>().run({x.data(), n, cols, cols, 1}, options, shape);
        const int64_t most = std::min(cols, n - 1);
        CHECK(shape.dropped_directions == (alpha == 1 ? 0 : most - 3));
        if (alpha < 1) CHECK(shape.cols == 3);
        double squares = 0;
        for (const double value : shape.data) squares += value * value;
        CHECK_NEAR(squares, 1, 1e-12);
      }
    }
  }
}

TEST(polar_factors_rebuild_and_nan_is_named) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{7, 4}, {4, 7}, {6, 6}}) {
    std::vector<double> a = random_matrix(3 * m, n, 3).data;
    std::vector<double> u(a.size()), p(size_t(3 * n * n));
    polar_batch(array_of(a, {3, m, n}), array_of(u, {3, m, n}), array_of(p, {3, n, n}), 2);
    for (int64_t k = 0; k < 3; ++k) {
      Matrix left(m, n), right(n, n);
      std::copy_n(u.begin() + k * m * n, m * n, left.data.begin());
      std::copy_n(p.begin() + k * n * n, n * n, right.data.begin());
      CHECK(largest_difference(product(left, right), a.data() + k * m * n, n) < 1e-12);
    }
    a[size_t(m * n)] = NAN;  // in item 1
    CHECK_THROWS(ConvergenceError, polar_batch(array_of(a, {3, m, n}), array_of(u, {3, m, n}),
                                               array_of(p, {3, n, n}), 2));
  }
}

}  // namespace

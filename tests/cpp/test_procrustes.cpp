#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "linalg/batch.h"
#include "linalg/linalg.h"
#include "naive.h"
#include "procrustes/prepare.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// Through triangular roots, for the widest items; gradients come with the score, in double.
template <class T>
void scores_agree(const ProcrustesOptions& options) {
  const int64_t n = 24;
  std::vector<Matrix> a, b;
  for (const int64_t width : {4, 9, 40, 1}) a.push_back(random_matrix(n, width, uint64_t(width)));
  for (const int64_t width : {5, 30}) b.push_back(random_matrix(n, width, uint64_t(width)));
  const double tolerance = sizeof(T) == 8 ? 1e-10 : 1e-4;
  const Ways<T, ProcrustesOptions> ways{&procrustes_scores, &procrustes_pairs, 2, tolerance};
  const Items<T> left(a), right(b);
  const std::vector<double> crossed = ways.agree(left, right, options);
  const std::vector<int32_t> orders = two_orders(n);
  for (const auto& [i, j] : {std::pair<size_t, size_t>{0, 1}, {2, 0}}) {
    double score = NAN, moved = NAN, scores[2];
    std::vector<T> by_x(a[i].data.size()), by_y(b[j].data.size());
    procrustes_gradients(left.arrays[i], right.arrays[j], options, 2, &score, Counted(2, 2),
                         by_x.data(), by_y.data());
    CHECK_NEAR(score, crossed[i * 2 + j], tolerance);
    CHECK(std::isfinite(by_x[0]) && by_x[0] != 0 && by_y[0] != 0);
    procrustes_reordered(left.arrays[i], right.arrays[j], orders.data(), 2, options, 2, scores);
    CHECK_NEAR(scores[0], crossed[i * 2 + j], tolerance);
    const Items<T> mixed({reordered(b[j], &orders[size_t(n)])});
    procrustes_pairs(left.arrays[i], mixed.arrays[0], options, 1, &moved, Counted(2, 2));
    CHECK_NEAR(scores[1], moved, tolerance);
  }
}

TEST_BOTH(all_ways_to_a_score_agree) {
  for (const double alpha : {1.0, 0.5, 0.0}) {
    scores_agree<T>({{true, alpha}, true, ProcrustesScore::angular});
    scores_agree<T>({{true, alpha}, false, ProcrustesScore::euclidean});
    scores_agree<T>({{false, alpha}, true, ProcrustesScore::similarity});
  }
}

// The nuclear norm of X'Y for unit-norm X and Y, through reductions of every size.
TEST(similarities_are_nuclear_norms) {
  for (const auto& [n, dx, dy] :
       {std::array<int64_t, 3>{30, 5, 8}, {12, 40, 30}, {150, 120, 125}}) {
    const Matrix x = random_matrix(n, dx, 1), y = random_matrix(n, dy, 2);
    const Items<double> items({x, y});
    double score = NAN;
    procrustes_pairs(items.arrays[0], items.arrays[1], {{false}, true, ProcrustesScore::similarity},
                     1, &score, Counted(2, 2));
    Matrix m = product(transposed(x), y);
    std::vector<double> s(size_t(std::min(dx, dy)));
    CHECK(singular_values<double>(dx, dy, m.data.data(), dy, s.data()));
    const double norms = norm_of(n, dx, x.data.data()) * norm_of(n, dy, y.data.data());
    CHECK_NEAR(score, std::accumulate(s.begin(), s.end(), 0.0) / norms, 1e-12);
  }
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
    Matrix y = product(x, product(u, vt));
    for (double& value : y.data) value = 3 * value + 2;
    const Items<double> items({x, y});
    double angle = NAN;
    procrustes_pairs(items.arrays[0], items.arrays[1], {}, 1, &angle, Counted(2, 2));
    CHECK_NEAR(angle, 0, 1e-12);
  }
}

TEST(degenerate_items_are_counted) {
  std::vector<double> x = random_matrix(2 * 20, 3, 1).data, y = x, by_x(x.size());
  for (size_t i = 0; i < 20; ++i) x[3 * i + 1] = 0.1;  // a constant unit of item 0
  std::fill(x.begin() + 60, x.end(), 0.1);             // item 1 is constant
  y[5] = NAN;
  double scores[2];
  for (const bool gradients : {false, true}) {
    const Counted found(2, 4);
    const ArrayRef of_x = array_of(x, {2, 20, 3}), of_y = array_of(y, {2, 20, 3});
    if (gradients) {
      procrustes_gradients(of_x, of_y, {}, 2, scores, found, by_x.data(), nullptr);
    } else {
      procrustes_pairs(of_x, of_y, {}, 2, scores, found);
    }
    CHECK((found.counts == std::vector<int64_t>{1, 3, -1, 0, 0, 0, 0, 0}));
    CHECK(std::isnan(scores[0]) && std::isnan(scores[1]));
  }
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
        PreparedShape<double> shape;
        ShapePreparation<double>().run({x.data(), n, cols, cols, 1}, {true, alpha}, shape);
        const int64_t most = std::min(cols, n - 1);
        CHECK(shape.dropped_directions == (alpha == 1 ? 0 : most - 3));
        if (alpha < 1) CHECK(shape.cols == 3);
        CHECK_NEAR(norm_of(n, shape.cols, shape.data.data()), 1, 1e-12);
      }
    }
  }
}

TEST(polar_factors_rebuild_and_nan_is_named) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{7, 4}, {4, 7}, {6, 6}}) {
    std::vector<double> a = random_matrix(3 * m, n, 3).data;
    std::vector<double> u(a.size()), p(size_t(3 * n * n));
    const ArrayRef of_a = array_of(a, {3, m, n}), of_u = array_of(u, {3, m, n});
    polar_batch(of_a, of_u, array_of(p, {3, n, n}), 2);
    for (int64_t k = 0; k < 3; ++k) {
      Matrix left(m, n), right(n, n);
      std::copy_n(u.begin() + k * m * n, m * n, left.data.begin());
      std::copy_n(p.begin() + k * n * n, n * n, right.data.begin());
      CHECK(largest_difference(product(left, right), a.data() + k * m * n, n) < 1e-12);
    }
    a[size_t(m * n)] = NAN;  // in item 1
    CHECK_THROWS(ConvergenceError, polar_batch(of_a, of_u, array_of(p, {3, n, n}), 2));
  }
}

}  // namespace

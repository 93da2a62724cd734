#include <cmath>
#include <numeric>
#include <vector>

#include "cca/cca.h"
#include "check.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// Items of one call, and what is counted in them.
template <class T>
struct Items {
  std::vector<std::vector<T>> values;
  std::vector<MatrixRef<const T>> views;
  std::vector<int64_t> counts;

  explicit Items(const std::vector<Matrix>& items) : counts(4 * items.size(), 0) {
    for (const Matrix& item : items) {
      values.push_back(item.padded<T>(item.cols));
      views.push_back({values.back().data(), item.rows, item.cols, item.cols, 1});
    }
  }
  ShapeCounts found() {
    const int64_t items = int64_t(counts.size()) / 2;
    return {counts.data(), counts.data() + items, items};
  }
};

ArrayRef batch_of(const std::vector<double>& values, int64_t count, int64_t rows, int64_t cols) {
  return {const_cast<double*>(values.data()),
          DType::float64,
          3,
          {count, rows, cols},
          {rows * cols, cols, 1}};
}

template <class T>
void scores_are_consistent(double tolerance) {
  const int64_t n = 60;
  const Matrix x = random_matrix(n, 5, 1), y = random_matrix(n, 9, 2);
  Items<T> all({x, product(x, random_matrix(5, 5, 3)), y});
  for (const bool weighted : {false, true}) {
    const CanonicalOptions options{0, 1, weighted};
    std::vector<double> symmetric(9, 0.0), cross(9, 0.0);
    cca_scores<T>(all.views, {}, options, 2, symmetric.data(), all.found());
    cca_scores<T>(all.views, all.views, options, 2, cross.data(), all.found());
    for (size_t k = 0; k < 9; ++k) CHECK_NEAR(symmetric[k], cross[k], tolerance);
    CHECK_NEAR(symmetric[1], 1, tolerance);  // invertible maps of each other
    if (!weighted) CHECK_NEAR(symmetric[2], symmetric[5], tolerance);
    // The first order changes nothing.
    std::vector<int32_t> orders(size_t(2 * n));
    std::iota(orders.begin(), orders.begin() + n, 0);
    for (int64_t i = 0; i < n; ++i) orders[size_t(n + i)] = int32_t((i + 1) % n);
    std::vector<double> reordered(2, 0.0);
    cca_reordered<T>(all.views[0], all.views[2], orders.data(), 2, options, 2, reordered.data());
    CHECK_NEAR(reordered[0], cross[2], tolerance);
    CHECK(std::abs(reordered[1] - cross[2]) > 1e-3);
  }
}

// Whichever items are constant, the others have the correlations that they have alone.
TEST(correlations_beside_constant_items) {
  const int64_t n = 20, count = 4, k = 3;
  for (int pattern = 0; pattern < 1 << 2 * count; ++pattern) {
    std::vector<double> x, y;
    for (int64_t i = 0; i < count; ++i) {
      const auto add = [&](int bit, int64_t cols, uint64_t seed, std::vector<double>& to) {
        const Matrix item = pattern >> bit & 1 ? Matrix(n, cols) : random_matrix(n, cols, seed);
        const std::vector<double> values = item.padded<double>(cols);
        to.insert(to.end(), values.begin(), values.end());
      };
      add(int(i), 3, uint64_t(i), x);
      add(int(count + i), 4, 40 + uint64_t(i), y);
    }
    std::vector<double> together(size_t(count * k)), alone(size_t(k), 0.0);
    std::vector<int64_t> counts(size_t(4 * count), 0);
    const ShapeCounts found{counts.data(), counts.data() + 2 * count, 2 * count};
    const ArrayRef a = batch_of(x, count, n, 3), b = batch_of(y, count, n, 4);
    canonical_correlations(a, b, {}, 2, together.data(), found);
    for (int64_t i = 0; i < count; ++i) {
      ArrayRef one_a = batch_of(x, 1, n, 3), one_b = batch_of(y, 1, n, 4);
      one_a.data = static_cast<double*>(a.data) + i * n * 3;
      one_b.data = static_cast<double*>(b.data) + i * n * 4;
      std::vector<int64_t> unread(4, 0);
      canonical_correlations(one_a, one_b, {}, 1, alone.data(), {unread.data(), &unread[2], 2});
      const bool constant_a = pattern >> i & 1, constant_b = pattern >> (count + i) & 1;
      CHECK(counts[size_t(i)] == (constant_a ? 3 : 0));
      CHECK(counts[size_t(count + i)] == (constant_b ? 4 : 0));
      for (int64_t c = 0; c < k; ++c) {
        const double here = together[size_t(i * k + c)];
        CHECK(constant_a || constant_b ? std::isnan(here) : here == alone[size_t(c)]);
      }
    }
  }
}

TEST(all_pairs_and_correlations) {
  scores_are_consistent<double>(1e-12);
  scores_are_consistent<float>(1e-5);
}

}  // namespace

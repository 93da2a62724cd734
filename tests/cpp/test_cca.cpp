#include <cmath>
#include <vector>

#include "cca/cca.h"
#include "check.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

TEST_BOTH(all_ways_to_a_score_agree) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const int64_t n = 60;
  const Matrix x = random_matrix(n, 5, 1), y = random_matrix(n, 9, 2);
  const Items<T> a({x, product(x, random_matrix(5, 5, 3)), y}), b({y, random_matrix(n, 70, 4)});
  const Ways<T, CanonicalOptions> ways{&cca_scores, &cca_pairs, 2, tolerance};
  const std::vector<int32_t> orders = two_orders(n);
  for (const CanonicalOptions& options :
       {CanonicalOptions{}, CanonicalOptions{0, 1, true}, {0.1}, {0, 0.9}}) {
    const bool plain = options.regularization == 0 && options.variance == 1;
    const std::vector<double> crossed = ways.agree(a, b, options, !options.weighted);
    if (plain && !options.weighted) CHECK_NEAR(crossed[0], crossed[2], tolerance);
    std::vector<double> scores(2, 0.0);
    cca_reordered(a.arrays[0], b.arrays[0], orders.data(), 2, options, 2, scores.data());
    CHECK_NEAR(scores[0], crossed[0], tolerance);
    CHECK(std::abs(scores[1] - crossed[0]) > 1e-3);
  }
}

// Whichever items are constant, the others have the correlations that they have alone.
TEST(correlations_beside_constant_items) {
  const int64_t n = 20, count = 3, k = 3;
  for (int pattern = 0; pattern < 1 << 2 * count; ++pattern) {
    std::vector<double> x, y, together(size_t(count * k)), alone(size_t(k), 0.0);
    for (int64_t i = 0; i < 2 * count; ++i) {
      const int64_t cols = i < count ? 3 : 4;
      const Matrix item = pattern >> i & 1 ? Matrix(n, cols) : random_matrix(n, cols, uint64_t(i));
      std::vector<double>& to = i < count ? x : y;
      to.insert(to.end(), item.data.begin(), item.data.end());
    }
    const Counted found(2, size_t(2 * count));
    canonical_correlations(array_of(x, {count, n, 3}), array_of(y, {count, n, 4}), {}, 2,
                           together.data(), found);
    for (int64_t i = 0; i < count; ++i) {
      ArrayRef one_x = array_of(x, {n, 3}), one_y = array_of(y, {n, 4});
      one_x.data = &x[size_t(i * n * 3)];
      one_y.data = &y[size_t(i * n * 4)];
      canonical_correlations(one_x, one_y, {}, 1, alone.data(), Counted(2, 2));
      const bool constant_x = pattern >> i & 1, constant_y = pattern >> (count + i) & 1;
      CHECK(found(kConstantUnits, i) == (constant_x ? 3 : 0));
      CHECK(found(kConstantUnits, count + i) == (constant_y ? 4 : 0));
      for (int64_t c = 0; c < k; ++c) {
        const double here = together[size_t(i * k + c)];
        CHECK(constant_x || constant_y ? std::isnan(here) : here == alone[size_t(c)]);
      }
    }
  }
}

}  // namespace

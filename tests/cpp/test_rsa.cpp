#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.h"
#include "naive.h"
#include "rsa/compared.h"
#include "rsa/ranks.h"
#include "rsa/rsa.h"
#include "rsa/scores.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

void ranks_and_counts_match_pairs(int64_t n, int64_t levels) {
  const Matrix m = random_matrix(2, n, 7);
  std::vector<double> x(static_cast<size_t>(n)), y = x;
  for (int64_t i = 0; i < n; ++i) {  // few levels: many ties; signs of zero do not matter
    x[i] = std::round(m(0, i) * double(levels));
    y[i] = std::round(m(1, i) * double(levels));
  }
  std::vector<int32_t> ranks(static_cast<size_t>(n)), ranks_y = ranks;
  Ranker ranker(1e-12);
  ranker(y.data(), n, ranks_y.data());
  const double ties = ranker(x.data(), n, ranks.data());
  double difference = 0, ties_x = 0, ties_y = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    double below = 0, equal = 0;
    for (int64_t j = 0; j < n; ++j) {
      below += x[j] < x[i];
      equal += x[j] == x[i];
      if (j >= i) continue;
      const int a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
      difference += a * b;
      ties_x += a == 0;
      ties_y += b == 0;
    }
    CHECK(ranks[i] == 2 * below + (equal - 1) - double(n - 1));
    squares += equal * equal - 1;
  }
  CHECK(ties == squares);
  const KendallCounts counts = kendall_counts(ranks.data(), ranks_y.data(), n);
  CHECK(counts.concordant_minus_discordant == difference);
  CHECK(counts.ties_x == ties_x && counts.ties_y == ties_y);
}

TEST(ranks_and_concordant_pairs) {
  for (const int64_t levels : {1, 4, 1 << 18}) {
    ranks_and_counts_match_pairs(1, levels);
    ranks_and_counts_match_pairs(137, levels);
    ranks_and_counts_match_pairs(200, levels);
  }
}

bool tie(double low, double high, double tolerance) {
  return high - low <= tolerance * std::max(std::abs(low), std::abs(high));
}

// Shared ranks of sorted values, as the header of Ranker says; `gap` is the tolerance of
// neighbours.
void share(const std::vector<double>& sorted, int64_t begin, int64_t end, double gap,
           double tolerance, std::vector<int32_t>& out) {
  for (int64_t first = begin, last = begin; first < end; first = last) {
    last = first + 1;
    while (last < end && tie(sorted[last - 1], sorted[last], gap)) ++last;
    if (tie(sorted[first], sorted[last - 1], tolerance)) {
      std::fill(out.begin() + first, out.begin() + last,
                int32_t(first + last - int64_t(sorted.size())));
    } else {
      share(sorted, first, last, gap < std::numeric_limits<double>::epsilon() ? 0 : gap / 16,
            tolerance, out);
    }
  }
}

// Ranks by sorting, for values of every kind of spread.
void ranks_match_sorted(const std::vector<double>& x, double tolerance) {
  const int64_t n = int64_t(x.size());
  std::vector<int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x[a] < x[b]; });
  std::vector<double> sorted(x.size());
  for (int64_t k = 0; k < n; ++k) sorted[k] = x[order[k]];
  std::vector<int32_t> ranks(x.size()), expected(x.size());
  share(sorted, 0, n, tolerance, tolerance, expected);
  for (const int64_t most : {int64_t{1} << 25, int64_t{5000}}) {
    Ranker ranker(tolerance, most);
    for (int repeat = 0; repeat < 2; ++repeat) ranker(x.data(), n, ranks.data());
    int64_t wrong = 0;
    for (int64_t k = 0; k < n; ++k) wrong += ranks[order[k]] != expected[k];
    CHECK(wrong == 0);
  }
}

TEST(ranks_of_any_spread) {
  const Matrix m = random_matrix(2, 30000, 11);
  const auto ranks_of = [&](auto map) {
    std::vector<double> x(30000);
    for (size_t i = 0; i < x.size(); ++i) x[i] = map(m(0, int64_t(i)), m(1, int64_t(i)));
    for (const size_t size : {30000, 100, 3000}) {
      x.resize(size);
      for (const double tolerance : {0.0, 1e-12, 1e-6}) ranks_match_sorted(x, tolerance);
    }
  };
  ranks_of([](double v, double) { return v; });
  ranks_of([](double v, double) { return std::exp(40 * v); });     // nearly all in one bucket
  ranks_of([](double v, double) { return std::pow(v, 400.0); });   // in one at every depth
  ranks_of([](double v, double) { return std::round(300 * v); });  // ties in every bucket
  ranks_of([](double v, double) { return v > 0.5 ? v : 0; });      // many ties, the rest without
  ranks_of([](double v, double) { return 1 + 1e-12 * v; });        // neighbours in floating point
  ranks_of([](double v, double) { return std::numeric_limits<double>::max() * v; });  // overflows
  ranks_of([](double v, double) { return 5e-324 * std::round(9 * v); });
  // Ties that rounding took apart, at borders of buckets too.
  ranks_of([](double v, double w) { return std::round(300 * v) * (1 + 2e-13 * w); });
  ranks_of([](double v, double w) { return std::round(64 * v) / 64 * (1 + 4e-13 * w); });
  ranks_of([](double v, double w) { return 1 + std::round(300 * v) / 300 + 2e-16 * w; });
  // Chains across all buckets.
  ranks_of([](double v, double) { return double(float(1 + 0.01 * v)); });
}

TEST(ranks_of_what_is_not_finite) {
  for (const double odd : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    for (const size_t at : {size_t(0), size_t(40), size_t(8999)}) {
      std::vector<double> x(9000, 1.0);
      x[at] = odd;
      std::vector<int32_t> ranks(x.size(), 7);
      Ranker ranker(1e-12);
      CHECK(std::isnan(ranker(x.data(), int64_t(x.size()), ranks.data())));
      CHECK(ranks == std::vector<int32_t>(x.size(), 0));
    }
  }
}

TEST(distances_match_naive) {
  const Matrix m = random_matrix(131, 9, 4);
  const std::vector<double> values = m.padded<double>(9);
  const MatrixRef<const double> x{values.data(), 131, 9, 9, 1};
  std::vector<double> squares(size_t(condensed_size(131))), cosines = squares;
  rdm(x, Dissimilarity::sqeuclidean, Unit::data, 2, squares.data());
  rdm(x, Dissimilarity::cosine, Unit::data, 2, cosines.data());
  size_t k = 0;
  for (int64_t i = 0; i < 131; ++i) {
    for (int64_t j = i + 1; j < 131; ++j, ++k) {
      double square = 0, product = 0, norm_i = 0, norm_j = 0;
      for (int64_t t = 0; t < 9; ++t) {
        square += (m(i, t) - m(j, t)) * (m(i, t) - m(j, t));
        product += m(i, t) * m(j, t);
        norm_i += m(i, t) * m(i, t);
        norm_j += m(j, t) * m(j, t);
      }
      CHECK_NEAR(squares[k], square, 1e-12);
      CHECK_NEAR(cosines[k], 1 - product / std::sqrt(norm_i * norm_j), 1e-12);
    }
  }
}

// Lists, pairs, orders, RDMs and gradients see the same RDMs, whatever compares them.
TEST_BOTH(all_ways_to_a_score_agree) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const int64_t n = 23, entries = condensed_size(n);
  const std::vector<Matrix> matrices{random_matrix(n, 4, 0), Matrix(n, 4, 1),
                                     random_matrix(n, 9, 2)};
  const Items<T> a(matrices), b({random_matrix(n, 5, 7)});
  std::vector<double> rdms;
  for (const Matrix& m : {matrices[0], matrices[2], random_matrix(n, 5, 7)}) {
    const Items<T> item({m});
    rdms.resize(rdms.size() + size_t(entries));
    rdm(likewise::matrices<T>(item.arrays)[0], Dissimilarity::euclidean, Unit::item, 1,
        &*rdms.end() - entries);
  }
  const ArrayRef p = array_of(rdms, {3, entries});
  const std::vector<int32_t> orders = two_orders(n);
  const Ways<T, RsaOptions> ways{&rsa_scores, &rsa_pairs, 3, tolerance};
  using enum RdmComparison;
  for (const RdmComparison comparison :
       {cosine, corr, spearman, rho_a, tau_a, tau_b, cosine_cov, corr_cov}) {
    const RsaOptions options{Dissimilarity::euclidean, comparison};
    const std::vector<double> crossed = ways.agree(a, b, options);
    CHECK(std::isnan(crossed[1]) && !std::isnan(crossed[2]));
    std::vector<double> compared(9), scores(2);
    std::vector<int64_t> flat(6, 7);
    compare_rdms(p, p, comparison, 3, compared.data(), flat.data());
    CHECK(std::count(flat.begin(), flat.end(), 0) == 6);
    CHECK_NEAR(compared[2], crossed[0], tolerance);
    CHECK_NEAR(compared[5], crossed[2], tolerance);
    if (comparison == cosine || comparison == spearman) {
      rsa_reordered(a.arrays[0], b.arrays[0], orders.data(), 2, options, 1, scores.data());
      CHECK_NEAR(scores[0], crossed[0], tolerance);
    }
    if (is_ranked(comparison)) continue;
    std::vector<T> by_x(size_t(n * 4));
    for (const size_t i : {0, 1}) {
      rsa_gradients(a.arrays[i], b.arrays[0], options, 3, scores.data(), Counted(3, 2), by_x.data(),
                    nullptr);
      CHECK_SAME(scores[0], crossed[i], tolerance);
      CHECK(std::isnan(crossed[i]) ? std::isnan(by_x[0]) : std::abs(by_x[0]) > 0);
    }
  }
}

}  // namespace

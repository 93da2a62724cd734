#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.h"
#include "naive.h"
#include "rsa/ranks.h"
#include "rsa/rsa.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

template <class T>
void ranks_and_counts_match_pairs(int64_t n, int64_t levels) {
  const Matrix m = random_matrix(2, n, 7);
  std::vector<T> x(static_cast<size_t>(n)), y(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {  // few levels: many ties; signs of zero do not matter
    x[i] = T(std::round(m(0, i) * double(levels)));
    y[i] = T(std::round(m(1, i) * double(levels)));
  }
  std::vector<int32_t> ranks(static_cast<size_t>(n)), ranks_y = ranks;
  Ranker<T> ranker;
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
    ranks_and_counts_match_pairs<double>(1, levels);
    ranks_and_counts_match_pairs<double>(137, levels);
    ranks_and_counts_match_pairs<float>(200, levels);
  }
}

// Ranks by sorting, for values of every kind of spread.
template <class T>
void ranks_match_sorted(const std::vector<T>& x) {
  const int64_t n = int64_t(x.size());
  std::vector<int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x[a] < x[b]; });
  std::vector<int32_t> ranks(x.size());
  Ranker<T> ranker;
  for (int repeat = 0; repeat < 2; ++repeat) ranker(x.data(), n, ranks.data());
  int64_t wrong = 0;
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && x[order[end]] == x[order[begin]]) ++end;
    for (int64_t k = begin; k < end; ++k) wrong += ranks[order[k]] != begin + end - n;
  }
  CHECK(wrong == 0);
}

template <class T>
void ranks_of_all_spreads() {
  const Matrix m = random_matrix(1, 30000, 11);
  std::vector<T> even(30000);
  for (size_t i = 0; i < even.size(); ++i) even[i] = T(m(0, int64_t(i)));
  const auto ranks_of = [&](auto map) {
    std::vector<T> x = even;
    for (T& value : x) value = T(map(double(value)));
    ranks_match_sorted(x);
    x.resize(100);
    ranks_match_sorted(x);
    x.resize(3000);
    ranks_match_sorted(x);
  };
  ranks_of([](double v) { return v; });
  ranks_of([](double v) { return std::exp(40 * v); });     // nearly all in one bucket
  ranks_of([](double v) { return std::pow(v, 400.0); });   // in one at every depth
  ranks_of([](double v) { return std::round(300 * v); });  // ties in every bucket
  ranks_of([](double v) { return v > 0.5 ? v : 0; });      // many ties, the rest without
  ranks_of([](double v) { return 1 + 1e-12 * v; });        // neighbours in floating point
  ranks_of([](double v) { return std::numeric_limits<T>::max() * v; });  // the width overflows
  ranks_of([](double v) { return std::numeric_limits<T>::denorm_min() * std::round(9 * v); });
}

TEST(ranks_of_any_spread) {
  ranks_of_all_spreads<double>();
  ranks_of_all_spreads<float>();
}

TEST(ranks_of_what_is_not_finite) {
  for (const double odd : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    for (const size_t at : {size_t(0), size_t(40), size_t(8999)}) {
      std::vector<double> x(9000, 1.0);
      x[at] = odd;
      std::vector<int32_t> ranks(x.size(), 7);
      Ranker<double> ranker;
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
  rdm(x, Dissimilarity::sqeuclidean, 2, squares.data());
  rdm(x, Dissimilarity::cosine, 2, cosines.data());
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

}  // namespace

#include <cmath>
#include <vector>

#include "check.h"
#include "naive.h"
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
  std::vector<double> ranks(static_cast<size_t>(n));
  SortWorkspace workspace;
  scaled_ranks(x.data(), n, false, workspace, ranks.data());
  const double scale = std::sqrt(12 / (double(n) * double(n) * double(n) - double(n)));
  double difference = 0, ties_x = 0, ties_y = 0;
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
    const double rank = below + (equal - 1) / 2 - double(n - 1) / 2;
    if (n > 1) CHECK_NEAR(ranks[i], rank * scale, 1e-12);
  }
  const KendallCounts counts = kendall_counts(x.data(), y.data(), n, workspace);
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

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "naive.h"
#include "neighbours/search.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

TEST_BOTH(all_ways_to_a_score_agree) {
  const Ways<T, NeighbourMeasure> ways{&neighbour_scores, &neighbour_pairs, 2, 1e-12};
  for (const int64_t n : {5, 130}) {
    const Matrix x = random_matrix(n, 7, 3);
    const Items<T> a({x, random_matrix(n, 40, 4), Matrix(n, 3, 0.1)}), b({x});
    for (const auto score :
         {NeighbourScore::mutual, NeighbourScore::jaccard, NeighbourScore::cknna}) {
      for (const bool euclidean : {false, true}) {
        const bool aligns = score == NeighbourScore::cknna;
        const NeighbourMeasure options{{n / 10 + 3, euclidean && !aligns, true, aligns}, score};
        const std::vector<double> crossed = ways.agree(a, b, options, !aligns);
        CHECK_NEAR(crossed[0], 1, 1e-12);
        CHECK(crossed[1] < 1 && std::isnan(crossed[2]));
      }
    }
  }
}

// Samples on a line: the nearest are those beside, and of equally near ones the first.
TEST_BOTH(neighbours_are_nearest) {
  const int64_t n = 100;
  std::vector<T> line(size_t(n), T(0));
  for (int64_t i = 0; i < n; ++i) line[size_t(i)] = T(i);
  Neighbours found;
  find_neighbours(MatrixRef<const T>{line.data(), n, 1, 1, 1}, {3, true}, 2, found);
  for (int64_t i = 2; i < n - 2; ++i) {
    const int32_t* const row = &found.index[size_t(3 * i)];
    CHECK(row[0] == i - 2 && row[1] == i - 1 && row[2] == i + 1);
  }
}

}  // namespace

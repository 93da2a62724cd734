#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "naive.h"
#include "neighbours/neighbours.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

std::vector<int32_t> naive_neighbours(Matrix x, int64_t i, int64_t k) {
  for (int64_t j = 0; j < x.cols; ++j) {
    double mean = 0;
    for (int64_t r = 0; r < x.rows; ++r) mean += x(r, j) / double(x.rows);
    for (int64_t r = 0; r < x.rows; ++r) x(r, j) -= mean;
  }
  std::vector<double> cosine(size_t(x.rows), 0.0);
  for (int64_t r = 0; r < x.rows; ++r) {
    double product = 0, norm = 0;
    for (int64_t j = 0; j < x.cols; ++j) {
      product += x(i, j) * x(r, j);
      norm += x(r, j) * x(r, j);
    }
    cosine[r] = product / std::sqrt(norm);
  }
  std::vector<int32_t> order(size_t(x.rows));
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return cosine[a] > cosine[b]; });
  order.resize(size_t(k));
  std::sort(order.begin(), order.end());
  return order;
}

template <class T>
void neighbours_are_nearest(int64_t n, int64_t d, int64_t k) {
  const Matrix x = random_matrix(n, d, 3);
  const std::vector<T> values = x.padded<T>(d);
  Neighbours found;
  find_neighbours(MatrixRef<const T>{values.data(), n, d, d, 1}, {k, false, true, true}, 2, found);
  CHECK(found.usable && found.constant_units == 0);
  for (int64_t i = 0; i < n; ++i) {
    const std::vector<int32_t> expected = naive_neighbours(x, i, k);
    CHECK(std::equal(expected.begin(), expected.end(), found.index.begin() + i * k));
  }
  const NeighbourItem item{found.index.data(), found.similarity.data(), true};
  for (const auto score :
       {NeighbourScore::mutual, NeighbourScore::jaccard, NeighbourScore::cknna}) {
    std::vector<double> scores(4, 0.0);
    std::vector<int64_t> status(2);
    compare_neighbours(score, {item, item}, nullptr, false, n, k, 2, scores.data(), status.data(),
                       nullptr);
    for (const double value : scores) CHECK_NEAR(value, 1, 1e-12);
  }
}

TEST(neighbours_of_every_size) {
  neighbours_are_nearest<double>(5, 2, 4);
  neighbours_are_nearest<double>(130, 7, 9);
  neighbours_are_nearest<double>(97, 40, 33);
  neighbours_are_nearest<float>(60, 5, 3);
}

TEST(constant_representations_are_not_usable) {
  const std::vector<double> values(40, 0.1);
  Neighbours found;
  find_neighbours(MatrixRef<const double>{values.data(), 10, 4, 4, 1}, {3, false, true}, 1, found);
  CHECK(!found.usable && found.constant_units == 4);
}

}  // namespace

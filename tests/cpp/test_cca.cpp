#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "cca/cca.h"
#include "check.h"
#include "naive.h"
#include "procrustes/procrustes.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

template <class T>
struct Whitened {
  std::vector<PreparedShape<T>> shapes;
  VariateList<T> list;
};

template <class T>
Whitened<T> whitened(const std::vector<Matrix>& items) {
  Whitened<T> out;
  out.shapes.resize(items.size());
  ShapePreparation<T> preparation;
  ShapeOptions options;
  options.alpha = 0;
  options.loadings = true;
  for (size_t k = 0; k < items.size(); ++k) {
    const std::vector<T> values = items[k].padded<T>(items[k].cols);
    preparation.run(
        MatrixRef<const T>{values.data(), items[k].rows, items[k].cols, items[k].cols, 1}, options,
        out.shapes[k]);
  }
  for (const PreparedShape<T>& shape : out.shapes) {
    CHECK(shape.converged);
    out.list.items.push_back({shape.data.data(), shape.cols});
    out.list.norms.push_back(shape.reshaped_norm);
    const int64_t units = int64_t(shape.loadings.size()) / std::max<int64_t>(shape.cols, 1);
    out.list.loadings.push_back({shape.loadings.data(), shape.cols, units, units, 1});
  }
  return out;
}

template <class T>
void scores_are_consistent(double tolerance) {
  const int64_t n = 60;
  const Matrix x = random_matrix(n, 5, 1), y = random_matrix(n, 9, 2);
  const Matrix mixed = product(x, random_matrix(5, 5, 3));
  const Whitened<T> all = whitened<T>({x, mixed, y});
  for (const bool weighted : {false, true}) {
    std::vector<double> symmetric(9, 0.0), cross(9, 0.0);
    cca_scores(all.list, all.list, n, true, weighted, 2, symmetric.data());
    cca_scores(all.list, all.list, n, false, weighted, 2, cross.data());
    for (size_t k = 0; k < 9; ++k) CHECK_NEAR(symmetric[k], cross[k], tolerance);
    CHECK_NEAR(symmetric[1], 1, tolerance);  // invertible maps of each other
    if (!weighted) CHECK_NEAR(symmetric[2], symmetric[5], tolerance);
  }
  std::vector<double> correlations(3 * 9, -1.0), plain(9, 0.0);
  VariateList<T> turned{{all.list.items[2], all.list.items[2], all.list.items[0]},
                        {all.list.norms[2], all.list.norms[2], all.list.norms[0]},
                        {}};
  canonical_correlations(all.list, turned, n, 9, 2, correlations.data());
  cca_scores(all.list, all.list, n, true, false, 1, plain.data());
  CHECK_NEAR(std::accumulate(correlations.begin(), correlations.begin() + 9, 0.0) / 5, plain[2],
             tolerance);
  CHECK(correlations[5] == 0 && correlations[4] > 0);
}

// Whichever items are constant, the others have the correlations that they have alone.
TEST(correlations_beside_constant_items) {
  const int64_t n = 20, count = 4, k = 3;
  for (int pattern = 0; pattern < 1 << 2 * count; ++pattern) {
    std::vector<Matrix> x, y;
    for (int64_t i = 0; i < count; ++i) {
      x.push_back(pattern >> i & 1 ? Matrix(n, 3) : random_matrix(n, 3, uint64_t(i)));
      y.push_back(pattern >> (count + i) & 1 ? Matrix(n, 4)
                                             : random_matrix(n, 4, 40 + uint64_t(i)));
    }
    const Whitened<double> a = whitened<double>(x), b = whitened<double>(y);
    std::vector<double> together(size_t(count * k)), alone(size_t(k), 0.0);
    canonical_correlations(a.list, b.list, n, k, 2, together.data());
    for (size_t i = 0; i < size_t(count); ++i) {
      canonical_correlations<double>({{a.list.items[i]}, {a.list.norms[i]}, {}},
                                     {{b.list.items[i]}, {b.list.norms[i]}, {}}, n, k, 1,
                                     alone.data());
      const bool constant = a.list.norms[i] == 0 || b.list.norms[i] == 0;
      for (size_t c = 0; c < size_t(k); ++c) {
        const double found = together[i * size_t(k) + c];
        CHECK(constant ? std::isnan(found) : found == alone[c]);
      }
    }
  }
}

TEST(all_pairs_and_correlations) {
  scores_are_consistent<double>(1e-12);
  scores_are_consistent<float>(1e-5);
}

}  // namespace

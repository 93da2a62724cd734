#include "neighbours/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "neighbours/alignment.h"

namespace likewise {
namespace {

// Pairs of samples (i, j) where j is a neighbour of i in both representations.
struct Common {
  std::vector<int64_t> begin;  // of every sample, and the end
  std::vector<int32_t> index;
  std::vector<double> a, b;

  void fill(const NeighbourItem& x, const NeighbourItem& y, int64_t samples, int64_t k) {
    begin.assign(1, 0);
    index.clear();
    a.clear();
    b.clear();
    for (int64_t i = 0; i < samples; ++i) {
      int64_t p = i * k, q = i * k;
      while (p < (i + 1) * k && q < (i + 1) * k) {
        const int32_t left = x.index[p], right = y.index[q];
        if (left == right) {
          index.push_back(left);
          if (x.similarity) {
            a.push_back(x.similarity[p]);
            b.push_back(y.similarity[q]);
          }
        }
        p += left <= right;
        q += right <= left;
      }
      begin.push_back(int64_t(index.size()));
    }
  }

  // The entry of pair (i, j), or -1.
  int64_t find(int32_t i, int32_t j) const {
    const auto first = index.begin() + begin[i], last = index.begin() + begin[i + 1];
    const auto at = std::lower_bound(first, last, j);
    return at != last && *at == j ? at - index.begin() : -1;
  }
};

// Song et al. 2012, equation 5, of the two masked matrices A and B, which are not symmetric:
// sum A_ij B_ji + sum A sum B / ((n - 1) (n - 2)) - 2 / (n - 2) sum AB; without 1 / (n (n - 3)).
// What is left of these terms by rounding alone is 0.
double alignment(const Common& common, int64_t samples) {
  std::vector<double> columns_a(size_t(samples), 0.0), rows_b(size_t(samples), 0.0);
  double transposed = 0, sum_a = 0, sum_b = 0, product = 0;
  for (int64_t i = 0; i < samples; ++i) {
    for (int64_t t = common.begin[i]; t < common.begin[i + 1]; ++t) {
      const int32_t j = common.index[t];
      columns_a[j] += common.a[t];
      rows_b[i] += common.b[t];
      const int64_t mirrored = common.find(j, int32_t(i));
      if (mirrored >= 0) transposed += common.a[t] * common.b[mirrored];
    }
  }
  for (int64_t i = 0; i < samples; ++i) {
    sum_a += columns_a[i];
    sum_b += rows_b[i];
    product += columns_a[i] * rows_b[i];
  }
  const double n = double(samples);
  const double of_sums = sum_a * sum_b / ((n - 1) * (n - 2)), of_rows = 2 / (n - 2) * product;
  const double terms = std::abs(transposed) + std::abs(of_sums) + std::abs(of_rows);
  const double value = transposed + of_sums - of_rows;
  return std::abs(value) > kAlignmentRounding * terms ? value : 0;
}

double shared_part(const Common& common, bool of_union, int64_t samples, int64_t k) {
  double sum = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const int64_t count = common.begin[i + 1] - common.begin[i];
    sum += double(count) / double(of_union ? 2 * k - count : k);
  }
  return sum / double(samples);
}

}  // namespace

void compare_neighbours(NeighbourScore score, const std::vector<NeighbourItem>& a,
                        const std::vector<NeighbourItem>* b_given, bool paired, int64_t samples,
                        int64_t k, int threads, double* scores, int64_t* status_a,
                        int64_t* status_b) {
  const std::vector<NeighbourItem>& b = b_given ? *b_given : a;
  const int64_t rows = int64_t(a.size()), cols = int64_t(b.size());
  std::vector<Common> workspaces(size_t(std::max(threads, 1)));
  const auto align = [&](const NeighbourItem& x, const NeighbourItem& y, int worker) {
    if (!x.usable || !y.usable) return std::numeric_limits<double>::quiet_NaN();
    Common& common = workspaces[worker];
    common.fill(x, y, samples, k);
    return score == NeighbourScore::cknna
               ? alignment(common, samples)
               : shared_part(common, score == NeighbourScore::jaccard, samples, k);
  };
  std::vector<double> self_a(size_t(rows), 1.0), self_b(size_t(cols), 1.0);
  if (score == NeighbourScore::cknna) {
    parallel_for(rows + (b_given ? cols : 0), threads, [&](int64_t i, int worker) {
      const NeighbourItem& item = i < rows ? a[i] : b[i - rows];
      (i < rows ? self_a[i] : self_b[i - rows]) = align(item, item, worker);
    });
    if (!b_given) self_b = self_a;
  }
  const auto status = [](const NeighbourItem& item, double self) {
    return !item.usable ? kUnusable : self > 0 ? 0 : kUnaligned;
  };
  for (int64_t i = 0; i < rows; ++i) status_a[i] = status(a[i], self_a[i]);
  for (int64_t j = 0; b_given && j < cols; ++j) status_b[j] = status(b[j], self_b[j]);
  parallel_for(paired ? rows : rows * cols, threads, [&](int64_t task, int worker) {
    const int64_t i = paired ? task : task / cols, j = paired ? task : task % cols;
    const bool mirrored = !b_given && score != NeighbourScore::cknna;
    if (mirrored && j > i) return;
    double value = align(a[i], b[j], worker);
    if (score == NeighbourScore::cknna) {
      value = self_a[i] > 0 && self_b[j] > 0 ? value / std::sqrt(self_a[i] * self_b[j])
                                             : std::numeric_limits<double>::quiet_NaN();
    }
    scores[task] = value;
    if (mirrored) scores[j * cols + i] = value;
    poll_interrupt();
  });
}

}  // namespace likewise

#include "neighbours/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/distinct.h"
#include "core/dtype.h"
#include "core/parallel.h"
#include "neighbours/alignment.h"
#include "neighbours/search.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Pairs of samples (i, j) where j is a neighbour of i in both representations.
struct Common {
  std::vector<int64_t> begin;  // of every sample, and the end
  std::vector<int32_t> index;
  std::vector<double> a, b;

  void fill(const Neighbours& x, const Neighbours& y, int64_t samples, int64_t k) {
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
          if (!x.similarity.empty()) {
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

template <class T>
std::vector<Neighbours> neighbours_of(const std::vector<MatrixRef<const T>>& items,
                                      const NeighbourOptions& options, int threads) {
  std::vector<Neighbours> found(items.size());
  // Few items: the threads share the rows of one; many: each takes an item.
  const int64_t count = int64_t(items.size());
  parallel_for(count, count >= threads ? threads : 1,
               [&](int64_t i, int) { find_neighbours(items[i], options, threads, found[i]); });
  return found;
}

// Of every item: its alignment with itself (CKNNA), or 1.
using Selves = std::vector<double>;

class Comparison {
 public:
  Comparison(const NeighbourMeasure& options, int64_t samples, int threads)
      : options_(options),
        samples_(samples),
        threads_(threads),
        workspaces_(size_t(std::max(threads, 1))) {}

  bool aligns() const { return options_.score == NeighbourScore::cknna; }

  Selves selves_of(const std::vector<Neighbours>& items) {
    Selves out(items.size(), 1.0);
    if (!aligns()) return out;
    parallel_for(int64_t(items.size()), threads_,
                 [&](int64_t i, int worker) { out[i] = agreement(items[i], items[i], worker); });
    return out;
  }

  double score(const Neighbours& x, double self_x, const Neighbours& y, double self_y, int worker) {
    const double value = agreement(x, y, worker);
    if (!aligns()) return value;
    return self_x > 0 && self_y > 0 ? value / std::sqrt(self_x * self_y) : kNaN;
  }

 private:
  double agreement(const Neighbours& x, const Neighbours& y, int worker) {
    if (!x.usable || !y.usable) return kNaN;
    Common& common = workspaces_[worker];
    common.fill(x, y, samples_, options_.k);
    if (aligns()) return alignment(common, samples_);
    return shared_part(common, options_.score == NeighbourScore::jaccard, samples_, options_.k);
  }

  const NeighbourMeasure& options_;
  const int64_t samples_;
  const int threads_;
  std::vector<Common> workspaces_;
};

void count_item(const Counts& counts, int64_t place, const Neighbours& item, double self) {
  counts(kConstantUnits, place) = item.constant_units;
  counts(kNeighbourStatus, place) = !item.usable ? kUnusable : self > 0 ? 0 : kUnaligned;
}

}  // namespace

void neighbour_scores(const Arrays& a, const Arrays& b, const NeighbourMeasure& options,
                      int threads, double* scores, const Counts& counts) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    const auto views = matrices<decltype(zero)>(joined(a, b));
    const std::vector<Neighbours> items = neighbours_of(views, options, threads);
    Comparison comparison(options, views[0].rows, threads);
    const Selves selves = comparison.selves_of(items);
    for (int64_t k = 0; k < counts.items; ++k) count_item(counts, k, items[k], selves[k]);
    const int64_t rows = int64_t(a.size()), first = b.empty() ? 0 : rows;
    const int64_t cols = int64_t(items.size()) - first;
    const bool mirrored = b.empty() && !comparison.aligns();
    parallel_for(rows * cols, threads, [&](int64_t task, int worker) {
      const int64_t i = task / cols, j = task % cols, k = first + j;
      if (mirrored && j > i) return;
      scores[task] = comparison.score(items[i], selves[i], items[k], selves[k], worker);
      if (mirrored) scores[j * cols + i] = scores[task];
      poll_interrupt();
    });
  });
}

void neighbour_pairs(const ArrayRef& x, const ArrayRef& y, const NeighbourMeasure& options,
                     int threads, double* scores, const Counts& counts) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const DistinctItems<T> left(x), right(y);
    const int64_t count = left.places();
    if (count == 0) return;
    const std::vector<Neighbours> a = neighbours_of(left.items, options, threads);
    const std::vector<Neighbours> b = neighbours_of(right.items, options, threads);
    Comparison comparison(options, left.items[0].rows, threads);
    const Selves selves_a = comparison.selves_of(a), selves_b = comparison.selves_of(b);
    parallel_for(count, threads, [&](int64_t k, int worker) {
      const int64_t i = left.at(k), j = right.at(k);
      count_item(counts, k, a[i], selves_a[i]);
      count_item(counts, count + k, b[j], selves_b[j]);
      scores[k] = comparison.score(a[i], selves_a[i], b[j], selves_b[j], worker);
      poll_interrupt();
    });
  });
}

}  // namespace likewise

#include "neighbours/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/copy.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 96;

// Rows centred (constant units exactly zero) and, for cosines, of unit norm; for distances in units
// of a power of two, so that squares neither overflow nor vanish. Returns the number of constant
// units.
template <class T>
int64_t standardized(const MatrixRef<const T>& x, const NeighbourOptions& options,
                     std::vector<T>& out) {
  const int64_t n = x.rows, d = x.cols;
  out.resize(size_t(n * d));
  copy_matrix(x, out.data());
  std::vector<T> low(out.begin(), out.begin() + d), high = low;
  for (int64_t i = 1; i < n; ++i) {
    const T* row = out.data() + i * d;
    for (int64_t j = 0; j < d; ++j) {
      low[j] = std::min(low[j], row[j]);
      high[j] = std::max(high[j], row[j]);
    }
  }
  int64_t constant = 0;
  double largest = 0;
  std::vector<double> origin(size_t(d), 0.0), mean(size_t(d), 0.0);
  for (int64_t j = 0; j < d; ++j) {
    constant += low[j] == high[j];
    if (options.center) {
      origin[j] = double(low[j]);
      largest = std::max(largest, double(high[j]) - double(low[j]));
    } else {
      largest = std::max({largest, std::abs(double(low[j])), std::abs(double(high[j]))});
    }
  }
  const double unit = largest > 0 && std::isfinite(largest)
                          ? std::ldexp(1.0, std::clamp(-std::ilogb(largest), -1022, 1022))
                          : 1;
  if (options.center) {
    for (int64_t i = 0; i < n; ++i) {
      const T* row = out.data() + i * d;
      for (int64_t j = 0; j < d; ++j) mean[j] += (double(row[j]) - origin[j]) * unit;
    }
    for (double& m : mean) m /= double(n);
  }
  std::vector<double> values(static_cast<size_t>(d));
  for (int64_t i = 0; i < n; ++i) {
    T* row = out.data() + i * d;
    double squares = 0;
    for (int64_t j = 0; j < d; ++j) {
      values[j] = (double(row[j]) - origin[j]) * unit - mean[j];
      squares += values[j] * values[j];
    }
    const double norm = options.euclidean || squares == 0 ? 1 : std::sqrt(squares);
    for (int64_t j = 0; j < d; ++j) row[j] = T(values[j] / norm);
  }
  return constant;
}

// The k largest values, first come first kept among equal ones.
template <class T>
class Largest {
 public:
  explicit Largest(int64_t k) : k_(size_t(k)) {}

  void clear() {
    kept_.clear();
    least_ = -std::numeric_limits<T>::infinity();
  }

  void offer(const T* values, int64_t begin, int64_t end) {
    constexpr int64_t kBlock = 16;
    for (int64_t j = begin; j < end; j += kBlock) {
      const int64_t stop = std::min(end, j + kBlock);
      T highest = values[j];
      for (int64_t t = j + 1; t < stop; ++t) highest = std::max(highest, values[t]);
      if (kept_.size() == k_ && !(highest > least_)) continue;
      for (int64_t t = j; t < stop; ++t) {
        if (kept_.size() < k_ || values[t] > least_) insert(values[t], int32_t(t));
      }
    }
  }

  void by_index(int32_t* index, T* value) {
    std::sort(kept_.begin(), kept_.end(),
              [](const Entry& a, const Entry& b) { return a.index < b.index; });
    for (const Entry& entry : kept_) {
      *index++ = entry.index;
      *value++ = entry.value;
    }
  }

 private:
  struct Entry {
    T value;
    int32_t index;
  };

  void insert(T value, int32_t index) {
    if (kept_.size() == k_) kept_.pop_back();
    auto at = kept_.end();
    while (at != kept_.begin() && (at - 1)->value < value) --at;
    kept_.insert(at, {value, index});
    if (kept_.size() == k_) least_ = kept_.back().value;
  }

  size_t k_;
  std::vector<Entry> kept_;  // descending
  T least_ = 0;
};

// Pairs of samples (i, j) where j is a neighbour of i in both representations.
template <class T>
struct Common {
  std::vector<int64_t> begin;  // of every sample, and the end
  std::vector<int32_t> index;
  std::vector<T> a, b;

  void fill(const NeighbourItem<T>& x, const NeighbourItem<T>& y, int64_t samples, int64_t k) {
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
          a.push_back(x.similarity[p]);
          b.push_back(y.similarity[q]);
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
template <class T>
double alignment(const Common<T>& common, int64_t samples) {
  std::vector<double> columns_a(size_t(samples), 0.0), rows_b(size_t(samples), 0.0);
  double transposed = 0, sum_a = 0, sum_b = 0, product = 0;
  for (int64_t i = 0; i < samples; ++i) {
    for (int64_t t = common.begin[i]; t < common.begin[i + 1]; ++t) {
      const int32_t j = common.index[t];
      columns_a[j] += double(common.a[t]);
      rows_b[i] += double(common.b[t]);
      const int64_t mirrored = common.find(j, int32_t(i));
      if (mirrored >= 0) transposed += double(common.a[t]) * double(common.b[mirrored]);
    }
  }
  for (int64_t i = 0; i < samples; ++i) {
    sum_a += columns_a[i];
    sum_b += rows_b[i];
    product += columns_a[i] * rows_b[i];
  }
  const double n = double(samples);
  return transposed + sum_a * sum_b / ((n - 1) * (n - 2)) - 2 / (n - 2) * product;
}

template <class T>
double shared_part(const Common<T>& common, bool of_union, int64_t samples, int64_t k) {
  double sum = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const int64_t count = common.begin[i + 1] - common.begin[i];
    sum += double(count) / double(of_union ? 2 * k - count : k);
  }
  return sum / double(samples);
}

}  // namespace

template <class T>
void find_neighbours(const MatrixRef<const T>& x, const NeighbourOptions& options, int threads,
                     Neighbours<T>& out) {
  struct Workspace {
    std::vector<T> products;
    Largest<T> largest;
  };
  const int64_t n = x.rows, d = x.cols, k = options.k;
  std::vector<T> rows;
  out.constant_units = standardized(x, options, rows);
  std::vector<T> half_norms;  // of distances: the nearest has the largest a'b - |b|^2 / 2
  if (options.euclidean) {
    for (int64_t i = 0; i < n; ++i) {
      const T* row = rows.data() + i * d;
      half_norms.push_back(T(std::inner_product(row, row + d, row, 0.0) / 2));
    }
  }
  out.usable = out.constant_units < d &&
               std::all_of(rows.begin(), rows.end(), [](T value) { return std::isfinite(value); });
  out.index.resize(size_t(n * k));
  out.similarity.resize(size_t(n * k));
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)), {{}, Largest<T>(k)});
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int worker) {
    Workspace& w = workspaces[worker];
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
    w.products.resize(size_t(kRowsPerTask * n));
    gemm<T>(Op::none, Op::transpose, count, n, d, T(1), rows.data() + first * d, d, rows.data(), d,
            T(0), w.products.data(), n);
    for (int64_t i = first; i < first + count; ++i) {
      T* values = w.products.data() + (i - first) * n;
      if (options.euclidean) {
        for (int64_t j = 0; j < n; ++j) values[j] -= half_norms[j];
      }
      w.largest.clear();
      w.largest.offer(values, 0, i);
      w.largest.offer(values, i + 1, n);
      w.largest.by_index(&out.index[i * k], &out.similarity[i * k]);
    }
    poll_interrupt();
  });
}

template <class T>
void neighbour_scores(NeighbourScore score, const std::vector<NeighbourItem<T>>& a,
                      const std::vector<NeighbourItem<T>>* b_given, bool paired, int64_t samples,
                      int64_t k, int threads, double* scores) {
  const std::vector<NeighbourItem<T>>& b = b_given ? *b_given : a;
  const int64_t rows = int64_t(a.size()), cols = int64_t(b.size());
  std::vector<Common<T>> workspaces(size_t(std::max(threads, 1)));
  const auto align = [&](const NeighbourItem<T>& x, const NeighbourItem<T>& y, int worker) {
    if (!x.usable || !y.usable) return std::numeric_limits<double>::quiet_NaN();
    Common<T>& common = workspaces[worker];
    common.fill(x, y, samples, k);
    return score == NeighbourScore::cknna
               ? alignment(common, samples)
               : shared_part(common, score == NeighbourScore::jaccard, samples, k);
  };
  std::vector<double> self_a(size_t(rows), 1.0), self_b(size_t(cols), 1.0);
  if (score == NeighbourScore::cknna) {
    parallel_for(rows + (b_given ? cols : 0), threads, [&](int64_t i, int worker) {
      const NeighbourItem<T>& item = i < rows ? a[i] : b[i - rows];
      (i < rows ? self_a[i] : self_b[i - rows]) = align(item, item, worker);
    });
    if (!b_given) self_b = self_a;
  }
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

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template void find_neighbours<T>(const MatrixRef<const T>&, const NeighbourOptions&, int,       \
                                   Neighbours<T>&);                                               \
  template void neighbour_scores<T>(NeighbourScore, const std::vector<NeighbourItem<T>>&,         \
                                    const std::vector<NeighbourItem<T>>*, bool, int64_t, int64_t, \
                                    int, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

#include "neighbours/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "core/parallel.h"
#include "linalg/cpu/differences.h"
#include "linalg/linalg.h"
#include "neighbours/points.h"

// Products of points tell nearly all dissimilarities well enough to leave samples out: a bound on
// their rounding leaves some candidates, and only these are computed from differences and compared
// as ties ask for. Where float leaves many candidates (samples far from the mean and near each
// other), these rows are multiplied again in double.

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 96;
constexpr int64_t kDepth = 512;  // of one product: rounding grows with the terms of a sum
constexpr int64_t kBlock = 16;   // values looked at together

// Products p_ij of points in U. With h = half a squared norm (cosines: 1/2) the dissimilarity
// h_i + h_j - p_ij is off by at most error * (h_i + h_j) + smallest.
template <class U>
struct Screen {
  std::vector<U> stored;
  const U* rows = nullptr;  // less the centre
  std::vector<double> half_norms;
  std::vector<U> least, most;  // (1 - error) * h, (1 + error) * h
  double error = 0, smallest = 0;

  explicit Screen(const Points& points) {
    const int64_t n = points.count, d = points.width;
    if constexpr (sizeof(U) == sizeof(double)) {
      if (points.centre.empty()) rows = points.rows.data();
    }
    if (!rows) {
      stored.resize(size_t(n * d));
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < d; ++j) {
          const double origin = points.centre.empty() ? 0 : points.centre[j];
          stored[i * d + j] = U(points.rows[i * d + j] - origin);
        }
      }
      rows = stored.data();
    }
    half_norms.assign(size_t(n), 0.5);
    for (int64_t i = 0; points.moved.empty() && i < n; ++i) {
      const U* row = rows + i * d;
      half_norms[i] = std::inner_product(row, row + d, row, 0.0) / 2;
    }
    // Sums of up to kDepth terms, then of these; 16: of rows, norms and values.
    const double terms = double(std::min(d, kDepth) + (d + kDepth - 1) / kDepth + 16);
    error = 0.51 * terms * double(std::numeric_limits<U>::epsilon());
    smallest = double(d) * double(std::numeric_limits<U>::min());
    for (const double half : half_norms) {
      least.push_back(U((1 - error) * half));
      most.push_back(U((1 + error) * half));
    }
  }

  void multiply(const U* some, int64_t count, int64_t n, int64_t d, U* products) const {
    for (int64_t k = 0; k < d; k += kDepth) {
      gemm<U>(Op::none, Op::transpose, count, n, std::min(kDepth, d - k), U(1), some + k, d,
              rows + k, d, U(k > 0), products, n);
    }
  }
};

// The k-th largest of many values.
template <class U>
class Largest {
 public:
  explicit Largest(int64_t k) : k_(size_t(k)) {}

  void clear() {
    kept_.clear();
    least_ = -std::numeric_limits<U>::infinity();
  }

  // products[j] - halves[j] for j in [begin, end)
  void offer(const U* products, const U* halves, int64_t begin, int64_t end) {
    U values[kBlock];
    for (int64_t j = begin; j < end; j += kBlock) {
      const int64_t count = std::min(kBlock, end - j);
      U highest = -std::numeric_limits<U>::infinity();
      for (int64_t t = 0; t < count; ++t) {
        values[t] = products[j + t] - halves[j + t];
        highest = std::max(highest, values[t]);
      }
      if (kept_.size() == k_ && !(highest > least_)) continue;
      for (int64_t t = 0; t < count; ++t) {
        if (kept_.size() < k_ || values[t] > least_) insert(values[t]);
      }
    }
  }

  U least() const { return least_; }

 private:
  void insert(U value) {
    if (kept_.size() == k_) kept_.pop_back();
    auto at = kept_.end();
    while (at != kept_.begin() && *(at - 1) < value) --at;
    kept_.insert(at, value);
    if (kept_.size() == k_) least_ = kept_.back();
  }

  size_t k_;
  std::vector<U> kept_;  // descending
  U least_ = 0;
};

struct Candidate {
  double dissimilarity;
  int32_t index;
};

template <class U>
struct Workspace {
  std::vector<U> products, rows;
  Largest<U> largest{1};
};

template <class T>
class Search {
 public:
  Search(const Points& points, const NeighbourOptions& options, int threads, Neighbours& out)
      : points_(points), options_(options), threads_(threads), out_(out), screen_(points) {
    for (const double moved : points.moved) {
      if (moved < kWellKnown) most_moved_ = std::max(most_moved_, moved);
    }
  }

  void run() {
    const int64_t n = points_.count;
    std::vector<Worker> workers(size_t(std::max(threads_, 1)));
    for (Worker& w : workers) {
      w.first.largest = Largest<T>(options_.k);
      w.second.largest = Largest<double>(options_.k);
    }
    parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads_, [&](int64_t task, int id) {
      const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
      find(first, count, workers[id]);
      poll_interrupt();
    });
  }

 private:
  static constexpr int32_t kAny = -1;
  static constexpr bool kInDouble = sizeof(T) == sizeof(double);
  static constexpr double kTolerance = kTieTolerance<T>;
  // Directions that are known worse than this tie as far as candidates go.
  static constexpr double kWellKnown = 1e-9;

  struct Worker {
    Workspace<T> first;
    Workspace<double> second;
    std::vector<Candidate> candidates;
    std::vector<int64_t> again;
  };

  void find(int64_t first, int64_t count, Worker& w) {
    const int64_t n = points_.count, d = points_.width;
    w.first.products.resize(size_t(kRowsPerTask * n));
    T* products = w.first.products.data();
    screen_.multiply(screen_.rows + first * d, count, n, d, products);
    w.again.clear();
    for (int64_t i = 0; i < count; ++i) {
      if (!rank(screen_, products + i * n, first + i, kInDouble, w.first.largest, w.candidates)) {
        w.again.push_back(first + i);
      }
    }
    if (w.again.empty()) return;
    std::call_once(once_, [&] { in_double_.emplace_back(points_); });
    const Screen<double>& screen = in_double_[0];
    w.second.rows.resize(w.again.size() * size_t(d));
    for (size_t r = 0; r < w.again.size(); ++r) {
      std::copy_n(screen.rows + w.again[r] * d, d, w.second.rows.data() + r * d);
    }
    w.second.products.resize(size_t(kRowsPerTask * n));
    screen.multiply(w.second.rows.data(), int64_t(w.again.size()), n, d, w.second.products.data());
    for (size_t r = 0; r < w.again.size(); ++r) {
      rank(screen, w.second.products.data() + r * n, w.again[r], true, w.second.largest,
           w.candidates);
    }
  }

  // How far rounding may have moved the dissimilarity of samples i and j, or (-1) of any other.
  double noise(int64_t i, int64_t j, double dissimilarity) const {
    if (points_.moved.empty() || points_.without_direction(i)) return 0;
    if (j >= 0 && points_.without_direction(j)) return 0;
    const double both = points_.moved[i] + (j < 0 ? most_moved_ : points_.moved[j]);
    return both * (std::sqrt(2 * dissimilarity) + both);
  }

  // The neighbours of sample i; false: there are too many candidates for differences.
  template <class U>
  bool rank(const Screen<U>& screen, const U* products, int64_t i, bool last, Largest<U>& largest,
            std::vector<Candidate>& candidates) {
    const int64_t n = points_.count, k = options_.k, most = 8 * k + 64;
    largest.clear();
    largest.offer(products, screen.most.data(), 0, i);
    largest.offer(products, screen.most.data(), i + 1, n);
    const double half = screen.half_norms[i];
    const double farthest =
        (1 + screen.error) * half - double(largest.least()) + screen.smallest;  // of the k nearest
    double limit = 0;  // no sample up to here is missing
    for (double next = std::max(farthest, screen.smallest);;) {
      limit = next * (1 + 4 * kTolerance) + 4 * noise(i, kAny, next);
      collect(screen, products, i, U((1 - screen.error) * half - screen.smallest - limit),
              candidates);
      if (!last && int64_t(candidates.size()) > most) return false;
      if (int64_t(candidates.size()) == k && !options_.similarities) break;
      for (Candidate& c : candidates) {
        c.dissimilarity = dissimilarity(screen, double(products[c.index]), i, c.index);
      }
      std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.dissimilarity < b.dissimilarity;
      });
      const int64_t count = int64_t(candidates.size());
      int64_t begin = k - 1, end = k;
      while (begin > 0 && tied(i, candidates[begin - 1], candidates[begin])) --begin;
      while (end < count && tied(i, candidates[end - 1], candidates[end])) ++end;
      const Candidate beyond{limit, kAny};
      if (end == count && count < n - 1 && tied(i, candidates[end - 1], beyond)) {
        next = std::max(limit, candidates[end - 1].dissimilarity * (1 + kTolerance));
        continue;
      }
      std::sort(candidates.begin() + begin, candidates.begin() + end,
                [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
      candidates.resize(size_t(k));
      break;
    }
    keep(i, candidates);
    return true;
  }

  bool tied(int64_t i, const Candidate& a, const Candidate& b) const {
    const double size = b.dissimilarity;
    return size - a.dissimilarity <=
           kTolerance * size + noise(i, a.index, a.dissimilarity) + noise(i, b.index, size);
  }

  // All samples whose dissimilarity may be as small as wanted.
  template <class U>
  void collect(const Screen<U>& screen, const U* products, int64_t i, U least,
               std::vector<Candidate>& candidates) const {
    const int64_t n = points_.count;
    const U* halves = screen.least.data();
    candidates.clear();
    for (int64_t j = 0; j < n; j += kBlock) {
      const int64_t count = std::min(kBlock, n - j);
      int found = 0;
      for (int64_t t = 0; t < count; ++t) found += products[j + t] - halves[j + t] >= least;
      for (int64_t t = 0; found > 0 && t < count; ++t) {
        if (j + t != i && products[j + t] - halves[j + t] >= least) {
          candidates.push_back({0, int32_t(j + t)});
        }
      }
    }
  }

  template <class U>
  double dissimilarity(const Screen<U>& screen, double product, int64_t i, int64_t j) const {
    if (points_.without_direction(i) || points_.without_direction(j)) return 1;
    if constexpr (sizeof(U) == sizeof(double)) {
      const double halves = screen.half_norms[i] + screen.half_norms[j], value = halves - product;
      if (screen.error * halves + screen.smallest <= kTolerance / 4 * value) return value;
    }
    const int64_t d = points_.width;
    return squared_difference(points_.rows.data() + i * d, points_.rows.data() + j * d, d) / 2;
  }

  void keep(int64_t i, std::vector<Candidate>& nearest) const {
    std::sort(nearest.begin(), nearest.end(),
              [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
    for (int64_t t = 0; t < options_.k; ++t) {
      out_.index[i * options_.k + t] = nearest[t].index;
      if (options_.similarities) {
        out_.similarity[i * options_.k + t] = 1 - nearest[t].dissimilarity;
      }
    }
  }

  const Points& points_;
  const NeighbourOptions& options_;
  const int threads_;
  Neighbours& out_;
  const Screen<T> screen_;
  std::once_flag once_;
  std::vector<Screen<double>> in_double_;  // one, where float does not do
  double most_moved_ = 0;
};

}  // namespace

template <class T>
void find_neighbours(const MatrixRef<const T>& x, const NeighbourOptions& options, int threads,
                     Neighbours& out) {
  const Points points = points_of(x, options);
  out.constant_units = points.constant_units;
  out.usable = points.finite && points.constant_units < x.cols;
  out.index.assign(size_t(x.rows * options.k), 0);
  out.similarity.assign(size_t(options.similarities ? x.rows * options.k : 0), 0.0);
  if (out.usable) Search<T>(points, options, threads, out).run();
}

template void find_neighbours<float>(const MatrixRef<const float>&, const NeighbourOptions&, int,
                                     Neighbours&);
template void find_neighbours<double>(const MatrixRef<const double>&, const NeighbourOptions&, int,
                                      Neighbours&);

}  // namespace likewise

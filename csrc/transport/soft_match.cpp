#include "transport/soft_match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "assignment/assignment.h"
#include "assignment/unit_pairs.h"
#include "core/dtype.h"
#include "core/error.h"
#include "transport/transport.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Link {
  int64_t i, j;
  double share;  // of the mass that is sent
};

template <class T>
class SoftMatcher {
 public:
  // The score; the links of the plan are in links() afterwards.
  double run(const UnitPair<T>& pair, const SoftMatchOptions& options) {
    links_.clear();
    if (pair.constant || has_nan(pair.correlation)) return kNaN;
    const MatrixRef<const double> cost = options.distance ? distances(pair) : pair.correlation;
    find_links(cost, options);
    double sum = 0;
    if (!options.distance) {
      for (const Link& link : links_) sum += link.share * pair.correlation(link.i, link.j);
      return sum;
    }
    for (int64_t row = 0; row < pair.rows; ++row) {
      const T* x = pair.x + row * pair.correlation.rows;
      const T* y = pair.y + row * pair.correlation.cols;
      for (const Link& link : links_) {
        const double difference = double(x[link.i]) - double(y[link.j]);
        sum += link.share * difference * difference;
      }
    }
    return std::sqrt(sum * options.mass);
  }

  const std::vector<Link>& links() const { return links_; }

 private:
  // Squared distances of unit columns: 2 - 2 S, or 1 from a constant unit to one that varies.
  MatrixRef<const double> distances(const UnitPair<T>& pair) {
    const MatrixRef<const double>& s = pair.correlation;
    const std::vector<double> x = squared_norms(pair.x, pair.rows, s.rows);
    const std::vector<double> y = squared_norms(pair.y, pair.rows, s.cols);
    cost_.resize(size_t(s.rows * s.cols));
    for (int64_t i = 0; i < s.rows; ++i) {
      for (int64_t j = 0; j < s.cols; ++j) {
        cost_[i * s.cols + j] = x[i] + y[j] - 2 * s(i, j);
      }
    }
    return {cost_.data(), s.rows, s.cols, s.cols, 1};
  }

  // 1, or 0 of a constant unit.
  static std::vector<double> squared_norms(const T* unit_columns, int64_t rows, int64_t cols) {
    std::vector<double> norms(size_t(cols), 0.0);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        if (unit_columns[i * cols + j] != 0) norms[j] = 1;
      }
    }
    return norms;
  }

  void find_links(const MatrixRef<const double>& cost, const SoftMatchOptions& options) {
    const double sign = options.distance ? 1 : -1;
    if (cost.rows == cost.cols && options.mass == 1) {
      if (assignment_.solve(cost, sign) != LapStatus::optimal) fail();
      columns_.resize(size_t(cost.rows));
      assignment_.columns_of_rows(columns_.data());
      for (int64_t i = 0; i < cost.rows; ++i) {
        links_.push_back({i, columns_[i], 1 / double(cost.rows)});
      }
      return;
    }
    if (cost.rows != rows_ || cost.cols != cols_ || options.mass != mass_) {
      rows_ = cost.rows;
      cols_ = cost.cols;
      mass_ = options.mass;
      marginals_ = uniform_marginals(rows_, cols_);
      if (mass_ < 1) {
        // In shares of the mass, all of which is the most that a unit can send: a small one is sent
        // as exactly as a large one.
        const auto most = [&](int64_t units) {
          return std::vector<double>(size_t(units), std::min(1.0, 1 / (double(units) * mass_)));
        };
        marginals_ = marginals_of(most(rows_).data(), rows_, most(cols_).data(), cols_, 1);
      }
    }
    if (transport_.solve(cost, sign, marginals_) != FlowStatus::optimal) fail();
    transport_.for_each_arc(
        [&](int64_t i, int64_t j, double share) { links_.push_back({i, j, share}); });
  }

  [[noreturn]] static void fail() { throw InternalError("correlations are not finite"); }

  AssignmentSolver assignment_;
  TransportSolver transport_;
  Marginals marginals_;
  int64_t rows_ = 0, cols_ = 0;  // of the marginals
  double mass_ = 0;
  std::vector<double> cost_;
  std::vector<int64_t> columns_;
  std::vector<Link> links_;
};

template <class T>
void score_units(const SoftMatchOptions& options, const UnitItems<T>& a, const UnitItems<T>& b,
                 int64_t rows, int threads, double* score) {
  const bool symmetric = b.items.empty();
  const int64_t cols = int64_t((symmetric ? a : b).items.size());
  std::vector<SoftMatcher<T>> matchers(size_t(std::max(threads, 1)));
  for_each_unit_pair<T>(a, b, rows, threads,
                        [&](int64_t i, int64_t j, const UnitPair<T>& pair, int worker) {
                          score[i * cols + j] = matchers[worker].run(pair, options);
                          if (symmetric) score[j * cols + i] = score[i * cols + j];
                        });
  if (!symmetric) return;
  // Every unit is its own best partner: a constant one at distance 0, others at a correlation of 1.
  for (int64_t i = 0; i < cols; ++i) {
    const double width = double(a.items[i].cols);
    const double varying = (width - double(a.constant_units[i])) / width;
    const double own = options.distance ? 0 : std::min(1.0, varying / options.mass);
    score[i * cols + i] = a.matches_itself(i, rows) ? own : kNaN;
  }
}

}  // namespace

void soft_match_scores(const Arrays& a, const Arrays& b, const SoftMatchOptions& options,
                       int threads, double* scores, const Counts& counts) {
  with_units(a, b, threads, counts, [&](const auto& left, const auto& right, int64_t rows) {
    score_units(options, left, right, rows, threads, scores);
  });
}

void soft_match_pairs(const ArrayRef& x, const ArrayRef& y, const SoftMatchOptions& options,
                      int threads, double* scores, const Counts& counts, void* plan) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<SoftMatcher<T>> matchers(size_t(std::max(threads, 1)));
    for_each_unit_pair<T>(x, y, counts, threads,
                          [&](int64_t item, const UnitPair<T>& pair, int worker) {
                            scores[item] = matchers[worker].run(pair, options);
                            if (!plan) return;
                            const int64_t dx = pair.correlation.rows, dy = pair.correlation.cols;
                            T* out = static_cast<T*>(plan) + item * dx * dy;
                            std::fill_n(out, dx * dy, T(0));
                            for (const Link& link : matchers[worker].links()) {
                              out[link.i * dy + link.j] = T(link.share * options.mass);
                            }
                          });
  });
}

void soft_match_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                          const SoftMatchOptions& options, int threads, double* scores) {
  for_each_reordered_units(x, y, orders, k,
                           [&](const auto& left, const auto& right, int64_t first, int64_t rows) {
                             score_units(options, left, right, rows, threads, scores + first);
                           });
}

}  // namespace likewise

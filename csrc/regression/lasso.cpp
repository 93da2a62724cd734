#include "regression/lasso.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "linalg/cross.h"
#include "regression/cpu/lasso_kernels.h"
#include "regression/lasso_schedule.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kBlockColumns = 256;  // of the moments that are computed together

// scale * X'X (units x units), scale * Y'X (targets x units) and scale * |y|^2.
struct Moments {
  int64_t units, targets;
  std::vector<double> gram, cross, squares;
};

template <class T>
std::vector<Item<T>> column_blocks(const MatrixRef<const T>& x) {
  const Item<T> whole{x.data, x.cols, nullptr, x.row_stride};
  std::vector<Item<T>> blocks;
  for (int64_t first = 0; first < x.cols; first += kBlockColumns) {
    blocks.push_back(whole.block(0, first, std::min(kBlockColumns, x.cols - first)));
  }
  return blocks;
}

template <class T>
Moments moments_of(const MatrixRef<const T>& x, const MatrixRef<const T>& y, double scale,
                   int threads) {
  Moments m{x.cols, y.cols, {}, {}, {}};
  m.gram.resize(size_t(x.cols * x.cols));
  m.cross.resize(size_t(y.cols * x.cols));
  m.squares.assign(size_t(y.cols), 0.0);
  const std::vector<Item<T>> units = column_blocks(x), targets = column_blocks(y);
  for_each_product<T, double>(
      units, units, x.rows, Pairing::symmetric_with_self, threads,
      [&](int64_t i, int64_t j, double* block, int64_t ld, int) {
        for (int64_t r = 0; r < units[i].cols; ++r) {
          for (int64_t c = 0; c < units[j].cols; ++c) {
            const int64_t row = i * kBlockColumns + r, col = j * kBlockColumns + c;
            m.gram[row * x.cols + col] = m.gram[col * x.cols + row] = block[r * ld + c] * scale;
          }
        }
      });
  for_each_product<T, double>(targets, units, x.rows, Pairing::cross, threads,
                              [&](int64_t i, int64_t j, double* block, int64_t ld, int) {
                                for (int64_t r = 0; r < targets[i].cols; ++r) {
                                  double* row = &m.cross[(i * kBlockColumns + r) * x.cols];
                                  for (int64_t c = 0; c < units[j].cols; ++c) {
                                    row[j * kBlockColumns + c] = block[r * ld + c] * scale;
                                  }
                                }
                              });
  for (int64_t i = 0; i < y.rows; ++i) {
    for (int64_t j = 0; j < y.cols; ++j) {
      m.squares[j] += double(y(i, j)) * double(y(i, j)) * scale;
    }
  }
  return m;
}

// One target after the other. The working set holds the units whose weights may differ from zero;
// its Gram matrix is kept compact, so that sweeps stay in the first-level cache.
class LassoSolver {
 public:
  explicit LassoSolver(const Moments& moments)
      : m_(moments), kernels_(lasso_kernels_for_this_cpu()) {}

  void start(int64_t target) {
    cross_ = &m_.cross[target * m_.units];
    squares_ = m_.squares[target];
    residual_.assign(cross_, cross_ + m_.units);
    member_.assign(size_t(m_.units), 0);
    set_.clear();
    weights_.clear();
    inverse_diagonal_.clear();
  }

  // The path's next penalty; false if its gap stayed above `tolerance`.
  bool solve(double penalty, double tolerance) {
    int64_t sweeps = 0;
    for (double change = kFirstChange; change > kLastChange; change /= 10) {
      do {
        sweeps += descend(penalty, change);
      } while (grow(penalty) && sweeps < kMostSweeps);
      evaluate(penalty);
      if (!(gap_ > tolerance * squares_ / 2)) return true;
      if (sweeps >= kMostSweeps) break;
    }
    return false;
  }

  double objective() const { return objective_; }
  double gap() const { return gap_; }
  double loss() const { return loss_; }
  double correlation() const { return correlation_; }

  void write_weights(double* out) const {
    std::fill_n(out, m_.units, 0.0);
    for (size_t k = 0; k < set_.size(); ++k) out[set_[k]] = weights_[k];
  }

 private:
  // Takes in the units that violate the optimality of weight 0, in ascending order: the worst of
  // them, if they are more than there are in the set already. False if there are none.
  bool grow(double penalty) {
    const double bound = penalty * (1 + kSlack);
    violators_.clear();
    for (int64_t j = 0; j < m_.units; ++j) {
      if (std::abs(residual_[j]) > bound && !member_[j]) violators_.push_back(int32_t(j));
    }
    const size_t most = std::max(size_t(kFirstUnits), set_.size());
    if (violators_.size() > most) {
      const auto worse = [&](int32_t a, int32_t b) {
        const double of_a = std::abs(residual_[a]), of_b = std::abs(residual_[b]);
        return of_a > of_b || (of_a == of_b && a < b);
      };
      std::nth_element(violators_.begin(), violators_.begin() + most, violators_.end(), worse);
      violators_.resize(most);
      std::sort(violators_.begin(), violators_.end());
    }
    for (const int32_t unit : violators_) add(unit);
    return !violators_.empty();
  }

  void add(int32_t unit) {
    const int64_t last = int64_t(set_.size());
    if (last == ld_) {
      const int64_t ld = std::max<int64_t>(64, 2 * ld_);
      std::vector<double> larger(size_t(ld * ld));
      for (int64_t i = 0; i < last; ++i) {
        std::copy_n(&gram_[i * ld_], last, &larger[i * ld]);
      }
      gram_.swap(larger);
      ld_ = ld;
    }
    set_.push_back(unit);
    weights_.push_back(0);
    member_[unit] = 1;
    const double* row = &m_.gram[unit * m_.units];
    for (int64_t i = 0; i <= last; ++i) {
      gram_[last * ld_ + i] = gram_[i * ld_ + last] = row[set_[i]];
    }
    inverse_diagonal_.push_back(1 / row[unit]);
  }

  // Sweeps over the working set until no weight changes much, then brings all residuals up to
  // date. Returns the number of sweeps.
  int64_t descend(double penalty, double change) {
    const int64_t count = int64_t(set_.size());
    local_.resize(size_t(count));
    for (int64_t k = 0; k < count; ++k) local_[k] = residual_[set_[k]];
    before_ = weights_;
    int64_t sweeps = 0;
    for (bool moving = count > 0; moving && sweeps < kMostSweeps; ++sweeps) {
      const LassoSweep sweep = kernels_.sweep(count, gram_.data(), ld_, inverse_diagonal_.data(),
                                              penalty, weights_.data(), local_.data());
      moving = sweep.largest_change > change * sweep.largest_weight;
    }
    moved_.clear();
    changes_.clear();
    for (int64_t k = 0; k < count; ++k) {
      if (weights_[k] == before_[k]) continue;
      moved_.push_back(set_[k]);
      changes_.push_back(weights_[k] - before_[k]);
    }
    kernels_.update(m_.units, m_.gram.data(), int64_t(moved_.size()), moved_.data(),
                    changes_.data(), residual_.data());
    return sweeps;
  }

  // With r = y - Xw and X'r at hand: the dual point is r scaled back until |X'r| <= penalty.
  void evaluate(double penalty) {
    double largest = 0, with_target = 0, with_residual = 0, size = 0;
    for (const double r : residual_) largest = std::max(largest, std::abs(r));
    for (size_t k = 0; k < set_.size(); ++k) {
      with_target += weights_[k] * cross_[set_[k]];
      with_residual += weights_[k] * residual_[set_[k]];
      size += std::abs(weights_[k]);
    }
    const double squares = std::max(squares_ - with_target - with_residual, 0.0);  // |r|^2
    const double predicted = with_target - with_residual;                          // |Xw|^2
    const double scale = largest > penalty ? penalty / largest : 1;
    loss_ = squares / 2;
    objective_ = loss_ + penalty * size;
    gap_ =
        std::max(objective_ + scale * scale * squares / 2 - scale * (squares_ - with_target), 0.0);
    correlation_ = predicted > 0 && squares_ > 0
                       ? std::clamp(with_target / std::sqrt(predicted * squares_), -1.0, 1.0)
                       : 0;
  }

  const Moments& m_;
  const LassoKernels& kernels_;
  const double* cross_ = nullptr;
  double squares_ = 0;
  std::vector<double> residual_;  // X'(y - Xw) of all units
  std::vector<char> member_;
  std::vector<int32_t> set_, violators_, moved_;
  std::vector<double> weights_, inverse_diagonal_, gram_, local_, before_, changes_;
  int64_t ld_ = 0;
  double objective_ = 0, gap_ = 0, loss_ = 0, correlation_ = 0;
};

bool finite(const std::vector<double>& values, int64_t first, int64_t count) {
  double zero = 0;
  for (int64_t k = first; k < first + count; ++k) zero += values[k] * 0;
  return zero == 0;
}

}  // namespace

int64_t lasso_path(const ArrayRef& x, const ArrayRef& y, const LassoOptions& options,
                   const LassoPath& out, int threads) {
  require_same_dtype(x, y, "lasso_path");
  const Moments moments = dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    return moments_of<T>(MatrixBatch<const T>(x)[0], MatrixBatch<const T>(y)[0], options.scale,
                         threads);
  });
  const int64_t targets = moments.targets, units = moments.units;
  const int64_t count = int64_t(options.penalties.size());
  std::vector<int64_t> descending(static_cast<size_t>(count));
  std::iota(descending.begin(), descending.end(), 0);
  std::stable_sort(descending.begin(), descending.end(), [&](int64_t a, int64_t b) {
    return options.penalties[a] > options.penalties[b];
  });
  std::vector<LassoSolver> solvers(size_t(std::max(threads, 1)), LassoSolver(moments));
  const bool finite_units = finite(moments.gram, 0, units * units);
  std::atomic<int64_t> open{0};
  parallel_for(targets, threads, [&](int64_t t, int worker) {
    LassoSolver& solver = solvers[worker];
    const bool usable = finite_units && finite(moments.cross, t * units, units) &&
                        std::isfinite(moments.squares[t]);
    if (usable) solver.start(t);
    for (const int64_t a : descending) {
      const int64_t at = a * targets + t;
      if (!usable) {
        std::fill_n(out.coefficients + at * units, units, kNaN);
        out.objective[at] = out.gap[at] = out.loss[at] = out.correlation[at] = kNaN;
        continue;
      }
      open += !solver.solve(options.penalties[a], options.tolerance);
      solver.write_weights(out.coefficients + at * units);
      out.objective[at] = solver.objective();
      out.gap[at] = solver.gap();
      out.loss[at] = solver.loss();
      out.correlation[at] = solver.correlation();
      poll_interrupt();
    }
  });
  return open;
}

}  // namespace likewise

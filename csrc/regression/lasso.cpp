#include "regression/lasso.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "linalg/cross.h"
#include "regression/cpu/lasso_kernels.h"
#include "regression/extrapolation.h"
#include "regression/lasso_schedule.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kBlockColumns = 256;  // of the moments that are computed together
constexpr int64_t kGroup = 8;           // targets that share passes over the Gram matrix
constexpr int64_t kPanel = 48;          // rows of it that stay in the second-level cache meanwhile
// A working set larger than both has all units swept over.
constexpr double kDense = 1.0 / 6;  // of all units
constexpr double kLeastDense = 64;  // whose Gram matrix fits the first-level cache

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

// One target. The working set holds the units whose weights may differ from zero; its Gram matrix
// is kept compact, so that sweeps stay in the first-level cache. Once it holds a good part of all
// units the solver is dense: weights and residuals are of all units, and targets take turns with
// every panel of the Gram matrix, which is too large to be read for each of them alone.
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
    dense_ = false;
  }

  bool dense() const { return dense_; }

  // Makes the solver dense if it is time to.
  void spread(const std::vector<double>& inverse_diagonal) {
    if (dense_ || double(set_.size()) <= std::max(kDense * double(m_.units), kLeastDense)) return;
    std::vector<double> all(size_t(m_.units), 0.0);
    write_weights(all.data());
    weights_ = std::move(all);
    inverse_diagonal_ = inverse_diagonal;
    set_.resize(size_t(m_.units));
    std::iota(set_.begin(), set_.end(), 0);
    dense_ = true;
  }

  // Of a dense solver: sweeps over the units [first, first + count).
  void sweep_panel(int64_t first, int64_t count, double penalty) {
    local_.assign(&residual_[first], &residual_[first] + count);
    before_.assign(&weights_[first], &weights_[first] + count);
    kernels_.sweep(count, &m_.gram[first * m_.units + first], m_.units, &inverse_diagonal_[first],
                   penalty, &weights_[first], local_.data());
    bring_up_to_date(first, count);
  }

  // Of a dense solver, after a sweep over all units. What is extrapolated is swept over before it
  // is looked at: its zeros are not exact.
  void extrapolate(double penalty) {
    if (!extrapolation_.add(m_.units, weights_.data(), residual_.data())) return;
    const auto& [w, r] = std::tie(extrapolation_.weights, extrapolation_.residuals);
    if (!(objective_of(penalty, w, r) < objective_)) return;
    weights_ = w;
    residual_ = r;
  }

  // A new penalty.
  void forget() { extrapolation_.clear(); }

  // Whether the gap is at most `tolerance` of what predicting nothing costs.
  bool is_solved(double penalty, double tolerance) {
    evaluate(penalty);
    return !(gap_ > tolerance * squares_ / 2);
  }

  // The path's next penalty; false if its gap stayed above `tolerance`.
  bool solve(double penalty, double tolerance) {
    int64_t sweeps = 0;
    for (double change = kFirstChange; change > kLastChange; change /= 10) {
      do {
        sweeps += descend(penalty, change);
      } while (grow(penalty) && sweeps < kMostSweeps);
      if (is_solved(penalty, tolerance)) return true;
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
    extrapolation_.clear();
    int64_t sweeps = 0;
    for (bool moving = count > 0; moving && sweeps < kMostSweeps; ++sweeps) {
      const LassoSweep sweep = kernels_.sweep(count, gram_.data(), ld_, inverse_diagonal_.data(),
                                              penalty, weights_.data(), local_.data());
      moving = sweep.largest_change > change * sweep.largest_weight;
      if (!moving || !extrapolation_.add(count, weights_.data(), local_.data())) continue;
      const auto& [w, r] = std::tie(extrapolation_.weights, extrapolation_.residuals);
      if (objective_of(penalty, w, r) < objective_of(penalty, weights_, local_)) {
        weights_ = w;
        local_ = r;
      }
    }
    bring_up_to_date(0, count);
    return sweeps;
  }

  // All residuals, after entries [first, first + count) of the set have changed from `before_` on.
  void bring_up_to_date(int64_t first, int64_t count) {
    moved_.clear();
    changes_.clear();
    for (int64_t k = 0; k < count; ++k) {
      if (weights_[first + k] == before_[k]) continue;
      moved_.push_back(set_[first + k]);
      changes_.push_back(weights_[first + k] - before_[k]);
    }
    kernels_.update(m_.units, m_.gram.data(), int64_t(moved_.size()), moved_.data(),
                    changes_.data(), residual_.data());
  }

  // Of weights and residuals of the set, X'(y - Xw).
  double objective_of(double penalty, const std::vector<double>& w,
                      const std::vector<double>& r) const {
    double fitted = 0, size = 0;
    for (size_t k = 0; k < set_.size(); ++k) {
      fitted += w[k] * (cross_[set_[k]] + r[k]);
      size += std::abs(w[k]);
    }
    return (squares_ - fitted) / 2 + penalty * size;
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
  bool dense_ = false;
  Extrapolation extrapolation_;
  double objective_ = 0, gap_ = 0, loss_ = 0, correlation_ = 0;
};

// The path's next penalty of dense solvers. Returns how many gaps stayed above `tolerance`.
int64_t solve_together(std::vector<LassoSolver*> pending, int64_t units, double penalty,
                       double tolerance) {
  for (LassoSolver* solver : pending) solver->forget();
  for (int64_t sweeps = 0; sweeps < kMostSweeps && !pending.empty(); ++sweeps) {
    for (int64_t first = 0; first < units; first += kPanel) {
      for (LassoSolver* solver : pending) {
        solver->sweep_panel(first, std::min(kPanel, units - first), penalty);
      }
    }
    std::erase_if(pending, [&](LassoSolver* s) { return s->is_solved(penalty, tolerance); });
    for (LassoSolver* solver : pending) solver->extrapolate(penalty);
    poll_interrupt();
  }
  return int64_t(pending.size());
}

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
  std::vector<LassoSolver> solvers(size_t(std::max(threads, 1) * kGroup), LassoSolver(moments));
  const bool finite_units = finite(moments.gram, 0, units * units);
  std::vector<double> inverse_diagonal(static_cast<size_t>(units));
  for (int64_t j = 0; j < units; ++j) {
    const double diagonal = moments.gram[j * units + j];
    inverse_diagonal[j] = diagonal > 0 ? 1 / diagonal : 0;  // constant units stay at 0
  }
  std::atomic<int64_t> open{0};
  parallel_for((targets + kGroup - 1) / kGroup, threads, [&](int64_t group, int worker) {
    std::vector<std::pair<int64_t, LassoSolver*>> usable;
    for (int64_t t = group * kGroup; t < std::min(targets, (group + 1) * kGroup); ++t) {
      if (finite_units && finite(moments.cross, t * units, units) &&
          std::isfinite(moments.squares[t])) {
        usable.push_back({t, &solvers[worker * kGroup + int64_t(usable.size())]});
        usable.back().second->start(t);
        continue;
      }
      for (int64_t at = t; at < count * targets; at += targets) {
        std::fill_n(out.coefficients + at * units, units, kNaN);
        out.objective[at] = out.gap[at] = out.loss[at] = out.correlation[at] = kNaN;
      }
    }
    for (const int64_t a : descending) {
      const double penalty = options.penalties[a];
      std::vector<LassoSolver*> dense;
      for (const auto& [t, solver] : usable) {
        solver->spread(inverse_diagonal);
        if (solver->dense()) {
          dense.push_back(solver);
        } else {
          open += !solver->solve(penalty, options.tolerance);
        }
      }
      open += solve_together(dense, units, penalty, options.tolerance);
      for (const auto& [t, solver] : usable) {
        const int64_t at = a * targets + t;
        solver->write_weights(out.coefficients + at * units);
        out.objective[at] = solver->objective();
        out.gap[at] = solver->gap();
        out.loss[at] = solver->loss();
        out.correlation[at] = solver->correlation();
      }
      poll_interrupt();
    }
  });
  return open;
}

}  // namespace likewise

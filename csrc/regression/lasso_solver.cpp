#include "regression/lasso_solver.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "linalg/linalg.h"
#include "regression/lasso_schedule.h"

namespace likewise {
namespace {

// A working set larger than both has all units swept over.
constexpr double kDense = 1.0 / 6;  // of all units
constexpr double kLeastDense = 64;  // whose Gram matrix fits the first-level cache

constexpr int64_t kLeastSweeps = 12;  // between jumps; they end the extrapolation
constexpr int64_t kMostUsed = 2048;   // units of a jump, a tenth of a second
constexpr double kRidge = 1e-12;      // of a diagonal entry: units may depend on each other

}  // namespace

void LassoSolver::start(int64_t target, double* residual) {
  cross_ = &m_.cross[target * m_.units];
  squares_ = m_.squares[target];
  residual_ = residual;
  std::copy_n(cross_, m_.units, residual_);
  member_.assign(size_t(m_.units), 0);
  set_.clear();
  weights_.clear();
  inverse_diagonal_.clear();
  penalty_ = 0;
  for (int64_t j = 0; j < m_.units; ++j) penalty_ = std::max(penalty_, std::abs(cross_[j]));
  earlier_penalty_ = penalty_;  // from where on all weights are 0
  dense_ = false;
}

// Makes the solver dense if it is time to.
void LassoSolver::spread() {
  if (double(set_.size()) <= std::max(kDense * double(m_.units), kLeastDense)) return;
  const auto of_all = [&](const std::vector<double>& of_set) {
    std::vector<double> all(size_t(m_.units), 0.0);
    for (size_t k = 0; k < of_set.size(); ++k) all[size_t(set_[k])] = of_set[k];
    return all;
  };
  weights_ = of_all(weights_);
  earlier_weights_ = of_all(earlier_weights_);
  inverse_diagonal_ = m_.inverse_diagonal;
  set_.resize(size_t(m_.units));
  std::iota(set_.begin(), set_.end(), 0);
  extrapolation_.clear();
  dense_ = true;
}

// Between penalties at which a unit comes or goes solutions are linear in the penalty, so the last
// two tell where the next one is about.
void LassoSolver::set_out(double penalty) {
  extrapolation_.clear();
  sweeps_ = 0;
  std::vector<double> weights = weights_, residual(residual_, residual_ + m_.units);
  const double last = std::exchange(penalty_, penalty);
  if (earlier_penalty_ > last) {
    const double step = (last - penalty) / (earlier_penalty_ - last);
    earlier_weights_.resize(weights.size(), 0.0);
    for (size_t k = 0; k < weights.size(); ++k) {
      weights[k] += step * (weights[k] - earlier_weights_[k]);
    }
    for (size_t j = 0; j < residual.size(); ++j) {
      residual[j] += step * (residual[j] - earlier_residual_[j]);
    }
  }
  earlier_penalty_ = last;
  earlier_weights_ = weights_;
  earlier_residual_.assign(residual_, residual_ + m_.units);
  if (objective_of(weights, residual.data(), true) < objective_of(weights_, residual_, true)) {
    weights_ = std::move(weights);
    std::copy(residual.begin(), residual.end(), residual_);
  }
}

bool LassoSolver::solve(double tolerance) {
  int64_t sweeps = 0;
  for (double change = kFirstChange; change > kLastChange; change /= 10) {
    do {
      sweeps += descend(change);
      const bool growing = grow();
      spread();
      if (dense_) return true;
      if (!growing) break;
    } while (sweeps < kMostSweeps);
    if (is_solved(tolerance)) return true;
    if (sweeps >= kMostSweeps) break;
  }
  return false;
}

void LassoSolver::sweep_panel(int64_t first, int64_t count, double* changes) {
  local_.assign(residual_ + first, residual_ + first + count);
  std::copy_n(&weights_[first], count, changes);
  kernels_.sweep(count, &m_.gram[first * m_.units + first], m_.units, &inverse_diagonal_[first],
                 penalty_, &weights_[first], local_.data());
  for (int64_t k = 0; k < count; ++k) changes[k] = weights_[first + k] - changes[k];
}

bool LassoSolver::is_solved(double tolerance) {
  evaluate();
  return !(gap_ > tolerance * squares_ / 2);
}

void LassoSolver::write_weights(double* out) const {
  std::fill_n(out, m_.units, 0.0);
  for (size_t k = 0; k < set_.size(); ++k) out[set_[k]] = weights_[k];
}

// Takes in the units that violate the optimality of weight 0, in ascending order: the worst of
// them, if they are more than there are in the set already. False if there are none.
bool LassoSolver::grow() {
  const double bound = penalty_ * (1 + kSlack);
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

void LassoSolver::add(int32_t unit) {
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
  inverse_diagonal_.push_back(m_.inverse_diagonal[unit]);
}

// Sweeps over the working set until no weight changes much, then brings all residuals up to date.
// Returns the number of sweeps.
int64_t LassoSolver::descend(double change) {
  const int64_t count = int64_t(set_.size());
  local_.resize(size_t(count));
  for (int64_t k = 0; k < count; ++k) local_[k] = residual_[set_[k]];
  before_ = weights_;
  extrapolation_.clear();
  int64_t sweeps = 0;
  for (bool moving = count > 0; moving && sweeps < kMostSweeps; ++sweeps) {
    const LassoSweep sweep = kernels_.sweep(count, gram_.data(), ld_, inverse_diagonal_.data(),
                                            penalty_, weights_.data(), local_.data());
    moving = sweep.largest_change > change * sweep.largest_weight;
    if (moving) accelerate(gram_.data(), ld_, local_.data());
  }
  bring_up_to_date();
  return sweeps;
}

// After a sweep over the set; `residual` is of the set too. What is extrapolated is swept over
// before anybody looks at it: its zeros are not exact. Jumps take no longer than the sweeps before.
void LassoSolver::accelerate(const double* gram, int64_t ld, double* residual) {
  const int64_t count = int64_t(set_.size());
  if (++sweeps_ >= kLeastSweeps) {
    const auto used = [&] {
      return double(count - std::count(weights_.begin(), weights_.end(), 0.0));
    };
    double saved = 6 * double(sweeps_) * double(count) * used(), price = std::pow(used(), 3);
    if (used() <= kMostUsed && price <= saved) {
      while (price <= saved && jump(gram, ld, residual)) {
        saved -= price;
        price = std::pow(used(), 3);
      }
      return;
    }
  }
  if (!extrapolation_.add(count, weights_.data(), residual)) return;
  const auto& [w, r] = std::tie(extrapolation_.weights, extrapolation_.residuals);
  if (objective_of(w, r.data(), dense_) < objective_of(weights_, residual, dense_)) {
    weights_ = w;
    std::copy(r.begin(), r.end(), residual);
  }
}

// direction_ = the step to the minimum that units in use have if they keep their signs, from
// changes_, the way down.
bool LassoSolver::find_direction(const double* gram, int64_t ld) {
  const size_t used = used_.size();
  root_.resize(used * used);
  for (size_t i = 0; i < used; ++i) {
    const double* row = gram + used_[i] * ld;
    for (size_t j = 0; j <= i; ++j) root_[i * used + j] = row[used_[j]];
    root_[i * used + i] *= 1 + kRidge;
  }
  direction_ = changes_;
  return solve_positive(int64_t(used), root_.data(), direction_.data());
}

// Feature-sign search (Lee, Battle, Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006,
// section 3): towards the minimum that units in use have if they keep their signs, and there to
// to where the objective is least. It is convex and, between weights of 0, quadratic. Whether that
// was not all the way.
bool LassoSolver::jump(const double* gram, int64_t ld, double* residual) {
  extrapolation_.clear();
  sweeps_ = 0;
  used_.clear();
  for (size_t k = 0; k < set_.size(); ++k) {
    if (weights_[k] != 0) used_.push_back(int32_t(k));
  }
  const size_t used = used_.size();
  changes_.resize(used);
  for (size_t i = 0; i < used; ++i) {
    changes_[i] = residual[used_[i]] - std::copysign(penalty_, weights_[used_[i]]);
  }
  if (!find_direction(gram, ld)) return false;
  double slope = 0;  // at the start, downwards
  std::vector<std::pair<double, double>> crossings;
  for (size_t i = 0; i < used; ++i) {
    slope += changes_[i] * direction_[i];
    const double at = -weights_[used_[i]] / direction_[i];
    if (at > 0 && at < 1) crossings.push_back({at, std::abs(direction_[i])});
  }
  if (!(slope > 0)) return false;
  std::sort(crossings.begin(), crossings.end());
  double reach = 1, crossed = 0;
  for (const auto& [at, size] : crossings) {
    if (reach <= at) break;
    crossed += size;
    reach = std::max(at, 1 - 2 * penalty_ * crossed / slope);
  }
  for (size_t i = 0; i < used; ++i) {
    double& weight = weights_[used_[i]];
    const bool ends = -weight / direction_[i] == reach;
    changes_[i] = ends ? -weight : reach * direction_[i];
    weight += changes_[i];
  }
  kernels_.update(int64_t(set_.size()), gram, ld, int64_t(used), used_.data(), changes_.data(),
                  residual);
  return reach < 1;
}

void LassoSolver::change_residual(const double* rows, int64_t count, const double* changes) {
  moved_.clear();
  changes_.clear();
  for (int64_t k = 0; k < count; ++k) {
    if (changes[k] == 0) continue;
    moved_.push_back(int32_t(k));
    changes_.push_back(changes[k]);
  }
  kernels_.update(m_.units, rows, m_.units, int64_t(moved_.size()), moved_.data(), changes_.data(),
                  residual_);
}

// All residuals, after weights of the set have changed from `before_` on.
void LassoSolver::bring_up_to_date() {
  moved_.clear();
  changes_.clear();
  for (size_t k = 0; k < set_.size(); ++k) {
    if (weights_[k] == before_[k]) continue;
    moved_.push_back(set_[k]);
    changes_.push_back(weights_[k] - before_[k]);
  }
  kernels_.update(m_.units, m_.gram.data(), m_.units, int64_t(moved_.size()), moved_.data(),
                  changes_.data(), residual_);
}

// Of weights of the set, and residuals of all units or of the set.
double LassoSolver::objective_of(const std::vector<double>& w, const double* r, bool of_all) const {
  double fitted = 0, size = 0;
  for (size_t k = 0; k < set_.size(); ++k) {
    fitted += w[k] * (cross_[set_[k]] + r[of_all ? size_t(set_[k]) : k]);
    size += std::abs(w[k]);
  }
  return (squares_ - fitted) / 2 + penalty_ * size;
}

// With r = y - Xw and X'r at hand: the dual point is r scaled back until |X'r| <= penalty.
void LassoSolver::evaluate() {
  double largest = 0, with_target = 0, with_residual = 0, size = 0;
  for (int64_t j = 0; j < m_.units; ++j) largest = std::max(largest, std::abs(residual_[j]));
  for (size_t k = 0; k < set_.size(); ++k) {
    with_target += weights_[k] * cross_[set_[k]];
    with_residual += weights_[k] * residual_[set_[k]];
    size += std::abs(weights_[k]);
  }
  const double squares = std::max(squares_ - with_target - with_residual, 0.0);  // |r|^2
  const double predicted = with_target - with_residual;                          // |Xw|^2
  const double scale = largest > penalty_ ? penalty_ / largest : 1;
  loss_ = squares / 2;
  objective_ = loss_ + penalty_ * size;
  gap_ = std::max(objective_ + scale * scale * squares / 2 - scale * (squares_ - with_target), 0.0);
  correlation_ = predicted > 0 && squares_ > 0
                     ? std::clamp(with_target / std::sqrt(predicted * squares_), -1.0, 1.0)
                     : 0;
}

}  // namespace likewise

#include <cstring>

#include "driver.h"
#include "regression/cuda/lasso_kernels.h"
#include "regression/lasso_schedule.h"

namespace likewise::cuda::driver {
namespace {

using Numbers = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

size_t at(size_t i, size_t cols, size_t j) { return i * cols + j; }

// Inner products of all columns of x (rows x a) with all of y (rows x b).
Numbers products(const Numbers& x, size_t a, const Numbers& y, size_t b) {
  Numbers out(a * b);
  for (size_t i = 0; i < x.size() / a; ++i) {
    for (size_t j = 0; j < a; ++j) {
      for (size_t k = 0; k < b; ++k) out[at(j, b, k)] += x[at(i, a, j)] * y[at(i, b, k)];
    }
  }
  return out;
}

struct Answer {
  Numbers weights;
  double objective, gap, loss, correlation;
};

// One target, by coordinate descent in the order of the kernel and nothing kept between the steps.
class Slow {
 public:
  Slow(Numbers gram, Numbers cross, double squares)
      : gram_(std::move(gram)),
        cross_(std::move(cross)),
        squares_(squares),
        weights_(cross_.size()) {}

  Answer solve(double penalty, double tolerance) {
    Answer found{};
    int64_t sweeps = 0;
    for (double change = kFirstChange; change > kLastChange; change /= 10) {
      do {
        for (bool moving = !set_.empty(); moving && sweeps < kMostSweeps; ++sweeps) {
          moving = sweep(penalty, change);
        }
      } while (grow(penalty));
      found = evaluate(penalty);
      if (found.gap <= tolerance * squares_ / 2 || sweeps >= kMostSweeps) break;
    }
    return found;
  }

 private:
  double slope(size_t j) const {
    double value = cross_[j];
    for (const size_t k : set_) value -= gram_[at(k, cross_.size(), j)] * weights_[k];
    return value;
  }

  bool sweep(double penalty, double least) {
    double change = 0, largest = 0;
    for (const size_t j : set_) {
      const double diagonal = gram_[at(j, cross_.size(), j)], old = weights_[j];
      const double target = slope(j) + diagonal * old;
      weights_[j] = std::copysign(std::max(std::abs(target) - penalty, 0.0), target) / diagonal;
      change = std::max(change, std::abs(weights_[j] - old));
      largest = std::max(largest, std::abs(weights_[j]));
    }
    return change > least * largest;
  }

  bool grow(double penalty) {
    Numbers sizes;
    std::vector<size_t> worst;
    for (size_t j = 0; j < cross_.size(); ++j) {
      sizes.push_back(std::abs(slope(j)));
      const bool outside = std::find(set_.begin(), set_.end(), j) == set_.end();
      if (outside && sizes[j] > penalty * (1 + kSlack)) worst.push_back(j);
    }
    std::stable_sort(worst.begin(), worst.end(),
                     [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
    worst.resize(std::min({worst.size(), std::max(size_t(kFirstUnits), set_.size())}));
    std::sort(worst.begin(), worst.end());
    set_.insert(set_.end(), worst.begin(), worst.end());
    return !worst.empty();
  }

  Answer evaluate(double penalty) const {
    double steepest = 0, with_target = 0, predicted = 0, size = 0;
    for (size_t j = 0; j < cross_.size(); ++j) {
      steepest = std::max(steepest, std::abs(slope(j)));
      with_target += weights_[j] * cross_[j];
      predicted += weights_[j] * (cross_[j] - slope(j));
      size += std::abs(weights_[j]);
    }
    const double loss = std::max(squares_ - 2 * with_target + predicted, 0.0) / 2;
    const double scale = std::min(1.0, penalty / steepest), objective = loss + penalty * size;
    const double dual = scale * (squares_ - with_target) - scale * scale * loss;
    const double r = predicted > 0 ? with_target / std::sqrt(predicted * squares_) : 0;
    return {weights_, objective, std::max(objective - dual, 0.0), loss, std::min(r, 1.0)};
  }

  Numbers gram_, cross_;
  double squares_;
  Numbers weights_;
  std::vector<size_t> set_;
};

// Moments of two models, and what is not finite in some of them.
struct Case {
  size_t units, targets;
  Numbers gram, cross, squares;

  Case(size_t rows, size_t units, size_t targets) : units(units), targets(targets) {
    for (int model = 0; model < 2; ++model) {
      Numbers x = normal<double>(rows * units), y = normal<double>(rows * targets);
      for (size_t i = 0; i < rows; ++i) {
        for (size_t t = 0; t < targets; ++t) {
          y[at(i, targets, t)] += 2 * x[at(i, units, 1)] - x[at(i, units, t + 2)];
        }
        for (size_t j = 6; j < units / 4; ++j) {  // as steep as each other, so the first are taken
          if (model == 1) x[at(i, units, 3 * j)] = x[at(i, units, 1)];
        }
      }
      const double scale = 1 / double(rows);
      for (double& v : x) v *= std::sqrt(scale);
      for (double& v : y) v *= std::sqrt(scale);
      append(gram, products(x, units, x, units));
      append(cross, products(y, targets, x, units));
      for (size_t t = 0; t < targets; ++t) {
        squares.push_back(products(y, targets, y, targets)[at(t, targets, t)]);
      }
    }
  }
  static void append(Numbers& to, const Numbers& from) {
    to.insert(to.end(), from.begin(), from.end());
  }
  Slow slow(size_t model, size_t target) const {
    const auto part = [](const Numbers& all, size_t k, size_t size) {
      return Numbers(all.begin() + k * size, all.begin() + (k + 1) * size);
    };
    const size_t moments = model * targets + target;
    return {part(gram, model, units * units), part(cross, moments, units), squares[moments]};
  }
};

bool near(double given, double wanted, double tolerance) {
  return std::isnan(wanted) ? std::isnan(given) : std::abs(given - wanted) <= tolerance;
}

struct Options {
  size_t first, count;  // targets
  double tolerance;
  bool scores;
};

void paths(const Case& c, const Numbers& penalties, const std::vector<int32_t>& places,
           const Options& o, const std::vector<std::vector<bool>>& usable) {
  const size_t models = 2, number = penalties.size(), step = o.count + 1;
  const size_t size = models * number * step;
  const OnDevice<double> gram(c.gram), cross(c.cross), squares(c.squares), descending(penalties),
      weights(Numbers(size * c.units, -7)), numbers(models * o.count * 4 * c.units);
  const OnDevice<int32_t> where(places), units(models * o.count * 2 * c.units);
  const OnDevice<double> objective(Numbers(size, -7)), gap(size), loss(size), r(size), used(size);
  const OnDevice<int64_t> constant_x(std::vector<int64_t>{1, int64_t(c.units) - 1}),
      constant_y(std::vector<int64_t>{0, int64_t(c.targets)});
  const OnDevice<unsigned long long> missed(std::vector<unsigned long long>(2 * models));
  LassoFits fits{};
  fits.coefficients = weights.get();
  fits.step = int64_t(step);
  if (o.scores) {
    fits = {
        weights.get(), objective.get(),
        gap.get(),     loss.get(),
        r.get(),       used.get(),
        int64_t(step), {int64_t(c.units), int64_t(c.targets), constant_x.get(), constant_y.get()}};
  }
  const int64_t d = int64_t(c.units);
  need(solve_lasso({int64_t(models), int64_t(o.count), d, int64_t(c.targets), gram.get(),
                    cross.get() + o.first * c.units, squares.get() + o.first, descending.get(),
                    where.get(), int64_t(number), o.tolerance},
                   {numbers.get(), units.get()}, fits, missed.get(), stream),
       "lasso");
  const Numbers w = weights.values(), objectives = objective.values(), gaps = gap.values(),
                losses = loss.values(), correlations = r.values(), counts = used.values();
  const auto findings = missed.values();
  for (size_t m = 0; m < models; ++m) {
    double largest = 0;
    unsigned long long open = 0;
    for (size_t t = 0; t < o.count; ++t) {
      Slow slow = c.slow(m, o.first + t);
      const bool good = usable[m][o.first + t];
      for (size_t a = 0; a < number; ++a) {
        Answer wanted{Numbers(c.units, kNaN), kNaN, kNaN, kNaN, kNaN};
        if (good) wanted = slow.solve(penalties[a], o.tolerance);
        const size_t k = (m * number + size_t(places[a])) * step + t;
        for (size_t j = 0; j < c.units; ++j) {
          expect(near(w[at(k, c.units, j)], wanted.weights[j], 1e-11), "weight");
        }
        if (!o.scores) continue;
        if (good) largest = std::max(largest, gaps[k]);
        open += gaps[k] > o.tolerance * c.squares[m * c.targets + o.first + t] / 2;
        const bool varies = m == 0;
        expect(near(objectives[k], wanted.objective, 1e-12), "objective");
        expect(near(gaps[k], wanted.gap, 1e-12), "gap");
        expect(near(losses[k], varies ? wanted.loss : kNaN, 1e-12), "loss");
        expect(near(correlations[k], varies ? wanted.correlation : kNaN, 1e-12), "correlation");
        const auto begin = w.begin() + int64_t(k * c.units);
        const auto zeros = std::count(begin, begin + int64_t(c.units), 0);
        expect(counts[k] == double(int64_t(c.units) - zeros), "units used");
      }
    }
    for (size_t a = 0; a < number; ++a) {
      const size_t beyond = (m * number + a) * step + o.count;
      expect(w[at(beyond, c.units, 0)] == -7 && objectives[beyond] == -7, "beyond the targets");
    }
    double bits = 0;
    static_assert(sizeof bits == sizeof findings[0]);
    std::memcpy(&bits, &findings[2 * m + 1], sizeof bits);
    if (!o.scores) continue;
    expect(findings[2 * m] == open, "gaps above the tolerance");
    expect(bits == largest, "largest gap");
  }
}

void lasso() {
  Case wide(90, 150, 4);
  paths(wide, {0.6, 0.2, 0.06}, {1, 2, 0}, {1, 3, 1e-6, true}, {{1, 1, 1, 1}, {1, 1, 1, 1}});
  paths(wide, {0.3}, {0}, {2, 1, 1e-6, false}, {{1, 1, 1, 1}, {1, 1, 1, 1}});
  Case small(40, 5, 3);
  paths(small, {5, 0.3, 0.02}, {0, 1, 2}, {0, 3, 1e-30, true}, {{1, 1, 1}, {1, 1, 1}});
  small.cross[at(1, 5, 4)] = kNaN;
  small.squares[2] = INFINITY;
  small.gram[25 + 24] = kNaN;
  paths(small, {0.3}, {0}, {0, 3, 1e-6, true}, {{1, 0, 0}, {0, 0, 0}});
}

const Topic topic("lasso", lasso);

}  // namespace
}  // namespace likewise::cuda::driver

#include "rsa/cuda/simplex.h"

#include "driver.h"
#include "rsa/cuda/pencils.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSide = 40, kProblems = 6;
const double kNaN = std::nan("");

// Logarithms whose length is searched: a valley, a rough cusp, a well that no simplex gets into and
// that ends with the last evaluation, the valley beside a negative eigenvalue, nothing, and a rough
// wall without an end.
double length_at(int problem, double x, double y) {
  switch (problem) {
    case 1:
      return std::abs(x - 3 * y + 1) + 0.1 * std::abs(x + y) +
             0.02 * (1 + std::sin(30000 * x) * std::cos(20000 * y));
    case 2:
      return x == 0 && y == 0 ? 0 : 1 + std::abs(x) + 2 * std::abs(y);
    case 4:
      return kNaN;
    case 5:
      return 1 + std::abs(x - 1) + 0.005 * std::sin(5000 * x) * std::cos(17000 * y);
    default:
      return 0.3 + std::pow(x - 2 * y * y, 2) + 0.01 * std::pow(y + 1, 2);
  }
}

std::vector<double> eigenvalues_at(int problem, double x, double y, double shift) {
  const double logarithm = length_at(problem, x, y) / std::sqrt(double(kSide));
  std::vector<double> out(kSide, std::exp(logarithm) + shift);
  if (problem == 3) out[37] = -1 + shift;
  return out;
}

struct Corner {
  double x, y, value;
};
struct NoneLeft {};

// The search as SciPy's text has it, with exceptions and a sort; counts what it comes across.
class Search {
 public:
  Search(int problem, double scale) : problem_(problem), scale_(scale) {}

  double least() {
    std::vector<Corner>& s = corners;
    try {
      s = {at(0, 0), at(0.00025, 0), at(0, 0.00025)};
      while (true) {
        sort(s);
        if (small(s)) break;
        round(s);
      }
    } catch (const NoneLeft&) {
    }
    sort(s);
    return s[0].value;
  }
  int shrunk = 0, rejected = 0, evaluations = 0;
  std::vector<Corner> corners;

 private:
  Corner at(double x, double y) {
    if (evaluations == 400) throw NoneLeft();
    ++evaluations;
    const double shift = std::exp(x) * scale_;
    double sum = 0;
    for (const double value : eigenvalues_at(problem_, x, y, shift)) {
      const double rest = value - shift;
      sum += std::pow(std::log(std::max(rest, std::numeric_limits<double>::min())), 2);
    }
    return {x, y, std::sqrt(sum)};
  }
  static void sort(std::vector<Corner>& s) {
    std::stable_sort(s.begin(), s.end(),
                     [](const Corner& a, const Corner& b) { return a.value < b.value; });
  }
  static bool small(const std::vector<Corner>& s) {
    for (const Corner& c : s) {
      if (std::abs(c.x - s[0].x) > 1e-4 || std::abs(c.y - s[0].y) > 1e-4) return false;
      if (std::abs(c.value - s[0].value) > 1e-4) return false;
    }
    return true;
  }
  void round(std::vector<Corner>& s) {
    const double x = (s[0].x + s[1].x) / 2, y = (s[0].y + s[1].y) / 2;
    const Corner worst = s[2];
    const auto beyond = [&](double t) {
      return at((1 + t) * x - t * worst.x, (1 + t) * y - t * worst.y);
    };
    const Corner r = beyond(1);
    if (r.value < s[0].value) {
      const Corner e = beyond(2);
      s[2] = e.value < r.value ? e : r;
      return;
    }
    if (r.value < s[1].value) {
      s[2] = r;
      return;
    }
    const bool outside = r.value < worst.value;
    const Corner c = beyond(outside ? 0.5 : -0.5);
    if (outside ? c.value <= r.value : c.value < worst.value) {
      s[2] = c;
      return;
    }
    ++shrunk;
    rejected += outside;
    for (int k = 1; k < 3; ++k) {
      s[k] = at(s[0].x + (s[k].x - s[0].x) / 2, s[0].y + (s[k].y - s[0].y) / 2);
    }
  }
  int problem_;
  double scale_;
};

// Every search of a batch, its eigenvalues being made by the host.
void searches(bool shifted) {
  std::vector<double> signals(kProblems * kSide * kSide, 0.0);
  for (int k = 0; k < kProblems; ++k) {
    signals[k * kSide * kSide + 7] = 0.3 * (k + 1);
    signals[(k + 1) * kSide * kSide - 1] = 0.4 * (k + 1);
  }
  const OnDevice<double> of(signals), scores(std::vector<double>(kProblems, 7.0));
  const OnDevice<int> a(std::vector<int>(kProblems, 0)), b(std::vector<int>{0});
  const OnDevice<Simplex> states(kProblems);
  const PairAxes axes{1, {kProblems}, {1}, {0}};
  need(start_simplexes(
           {of.get(), a.get(), b.get(), 0, kSide, shifted, states.get(), scores.get(), nullptr},
           axes, kProblems, stream),
       "start");
  for (int step = 0; step < kMostEvaluations; ++step) {
    std::vector<double> values;
    const auto now = states.values();
    for (int k = 0; k < kProblems; ++k) {
      const Simplex& s = now[k];
      expect(std::abs(s.signal - std::exp(s.trial[0])) <= 1e-15 * s.signal, "signal");
      expect(std::abs(s.noise - std::exp(s.trial[1])) <= 1e-15 * s.noise, "noise");
      const double shift = shifted ? 0.5 * (k + 1) * s.signal : 0;
      expect(std::abs(s.shift - shift) <= 1e-15 * shift, "shift");
      const auto some = eigenvalues_at(k, s.trial[0], s.trial[1], s.shift);
      values.insert(values.end(), some.begin(), some.end());
    }
    const OnDevice<double> given(values);
    need(step_simplexes(given.get(), kProblems, kSide, states.get(), scores.get(), stream), "step");
  }
  const auto found = scores.values();
  const auto last = states.values();
  for (int k = 0; k < kProblems; ++k) {
    Search slow(k, shifted ? 0.5 * (k + 1) : 0);
    const double expected = -slow.least();
    expect(last[k].done, "an end");
    if (k == 4) {
      expect(std::isnan(found[k]), "no eigenvalues");
      continue;
    }
    expect(std::abs(found[k] - expected) <= 1e-12 * std::abs(expected), "least distance");
    // Beside 708 differences of the valley are close to rounding.
    expect(k == 3 || last[k].evaluations == slow.evaluations, "evaluations");
    for (int at = 0; at < 6 && k != 3; ++at) {
      const Corner& corner = slow.corners[at / 2];
      const double coordinate = at % 2 == 0 ? corner.x : corner.y;
      expect(std::abs(last[k].points[at / 2][at % 2] - coordinate) < 1e-9, "a corner");
    }
    expect(k != 1 || slow.shrunk > 0, "the cusp is rough");
    expect(k != 5 || slow.rejected > 0, "the wall is rough");
    expect(k != 2 || (slow.shrunk > 2 && slow.evaluations == 400), "the well is hard");
    expect(k == 2 || slow.evaluations < 400, "the others are not");
  }
}

// Pairs from the second one on, of items with faults of all kinds.
void starts() {
  constexpr int kCount = 5;
  const OnDevice<double> signals(std::vector<double>(kCount * 4, 1.0));
  const OnDevice<double> scores(std::vector<double>(6, 7.0));
  const OnDevice<int> a(std::vector<int>{kLowRank, kConstant});
  const OnDevice<int> b(std::vector<int>{kLowRank, 0, kNotFinite | kLowRank});
  const OnDevice<Simplex> states(kCount);
  for (const bool look : {false, true}) {
    const OnDevice<unsigned long long> rank(std::vector<unsigned long long>{~0ull});
    const SimplexStart start{signals.get(),
                             a.get(),
                             b.get(),
                             1,
                             2,
                             true,
                             states.get(),
                             scores.get(),
                             look ? rank.get() : nullptr};
    need(start_simplexes(start, {2, {2, 3}, {1, 0}, {0, 1}}, kCount, stream), "start");
    expect(rank.values()[0] == (look ? 2 : ~0ull), "a rank too low");
    const auto found = scores.values();
    const auto searched = states.values();
    expect(found[0] == 7 && found[1] == 7 && !searched[0].done, "what can be compared");
    for (int k = 1; k < kCount; ++k) {
      expect(std::isnan(found[k + 1]) && searched[k].done, "what cannot");
    }
  }
  // What is not finite has no rank, and that of the first item does not matter.
  const OnDevice<unsigned long long> rank(std::vector<unsigned long long>{~0ull});
  need(start_simplexes(
           {signals.get(), a.get(), b.get(), 1, 2, true, states.get(), scores.get(), rank.get()},
           {2, {2, 3}, {1, 0}, {0, 1}}, 2, stream),
       "start");
  expect(rank.values()[0] == ~0ull, "no rank");
  // Several that are too low.
  need(start_simplexes(
           {signals.get(), a.get(), b.get(), 0, 2, true, states.get(), scores.get(), rank.get()},
           {1, {4}, {0}, {0}}, 4, stream),
       "start");
  expect(rank.values()[0] == 2, "ranks too low");
}

void all() {
  searches(true);
  searches(false);
  starts();
}

const Topic topic("simplex", all);

}  // namespace
}  // namespace likewise::cuda::driver

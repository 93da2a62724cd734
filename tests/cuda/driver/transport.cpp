#include "transport/cuda/transport.h"

#include "assignment/assignment.h"
#include "assignment/cuda/match.h"
#include "assignment/match.h"
#include "both.h"
#include "transport/cuda/plans.h"
#include "transport/soft_match.h"
#include "transport/transport.h"
#include "units/cuda/similarity.h"
#include "units/cuda/units.h"

namespace likewise::cuda::driver {
namespace {

double largest_gap = 0;

enum class Costs { any, ties, products, forbidden, equal, offset };

// Problems; where some pairs are forbidden, those of each row with columns of its own are not.
template <class T>
std::vector<T> costs(Costs kind, int count, int rows, int cols) {
  std::vector<T> out = normal<T>(size_t(count) * rows * cols);
  for (size_t k = 0; k < out.size(); ++k) {
    const int i = int(k) / cols % rows, j = int(k) % cols;
    if (kind == Costs::ties) out[k] = T(generator() % 4);
    if (kind == Costs::products) out[k] = T((i + 1) * (j + 1));
    if (kind == Costs::equal) out[k] = 7;
    if (kind == Costs::offset) out[k] += T(1e6);
    if (kind == Costs::forbidden && j / ((cols + rows - 1) / rows) != i && generator() % 3 == 0) {
      out[k] = std::numeric_limits<T>::infinity();
    }
  }
  return out;
}

// One problem (rows x cols), rows <= cols, and what the device says of it.
template <class T>
struct Solution {
  const T* cost;
  int rows, cols;
  std::vector<double> plan;  // masses
  const double *row_dual, *column_dual;
  double gap;

  // That the masses of rows and columns are these, and the plan's cost, certified by the duals, is
  // the least. Returns the sum of the slacks, which is what a gap adds up.
  double require(double of_row, double most_of_column, double least, double sign,
                 double close) const {
    double total = 0, slacks = 0;
    std::vector<double> columns(static_cast<size_t>(cols));
    bool certified = true, balanced = true;
    for (int i = 0; i < rows; ++i) {
      double sent = 0;
      for (int j = 0; j < cols; ++j) {
        const double entry = double(cost[i * cols + j]), mass = plan[size_t(i * cols + j)];
        const double slack = sign * (entry - column_dual[j] - row_dual[i]);
        certified = certified && slack >= -close;
        balanced = balanced && mass >= 0;
        if (mass > 0) total += mass * entry, slacks += mass * slack;
        sent += mass, columns[size_t(j)] += mass;
      }
      balanced = balanced && std::abs(sent - of_row) <= close;
    }
    for (const double got : columns) balanced = balanced && got <= most_of_column + close;
    expect(certified && gap >= 0 && gap <= close, "duals and gap");
    expect(balanced, "masses");
    expect(std::abs(total - least) <= close, "cost of a plan");
    return slacks;
  }
};

template <class T>
std::vector<double> widened(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

// The least (or largest) costs of assignments and of transports, by the CPU.
std::vector<double> least_assigned(std::vector<double> cost, int count, int rows, int cols) {
  std::vector<int64_t> pairs(size_t(2 * count * rows));
  std::vector<double> out(size_t(count), 0), u(size_t(count * rows)), v(size_t(count * cols)),
      gap(size_t(count), 0);
  const AssignmentCertificates certificates{out.data(), u.data(), v.data(), gap.data()};
  likewise::solve_assignments(array_of(cost, {count, rows, cols}), false, nullptr, nullptr,
                              pairs.data(), pairs.data() + count * rows, &certificates, 1);
  return out;
}

std::vector<double> least_transported(std::vector<double> cost, int count, int rows, int cols,
                                      bool maximize) {
  for (double& value : cost) value *= maximize ? -1 : 1;
  std::vector<double> plan(cost.size()), u(size_t(count * rows)), v(size_t(count * cols)),
      gap(size_t(count), 0), out(size_t(count), 0);
  likewise::solve_transports(array_of(cost, {count, rows, cols}), nullptr, nullptr,
                             array_of(plan, {count, rows, cols}), {u.data(), v.data(), gap.data()},
                             1);
  for (size_t k = 0; k < cost.size(); ++k) {
    if (plan[k] > 0) out[k / size_t(rows * cols)] += plan[k] * cost[k] * (maximize ? -1 : 1);
  }
  return out;
}

template <class T>
void assign(Costs kind, int rows, int cols, bool transposed) {
  constexpr int kCount = 2;
  const std::vector<T> host = costs<T>(kind, kCount, rows, cols);
  const int m = transposed ? cols : rows, n = transposed ? rows : cols;
  const OnDevice<T> cost(host);
  const OnDevice<int64_t> row_ind(kCount * rows), col_ind(kCount * rows);
  const OnDevice<double> total(kCount), u(kCount * m), v(kCount * n), gap(kCount);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  solve_assignments<T>(
      cost.get(), kCount, rows, cols, false, transposed,
      {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
      stream);
  expect(failure.values()[0] == ~0ull, "status of an assignment");
  const auto r = row_ind.values(), c = col_ind.values();
  const auto of_rows = (transposed ? v : u).values(), of_cols = (transposed ? u : v).values();
  const auto gaps = gap.values();
  const std::vector<double> least = least_assigned(widened(host), kCount, rows, cols);
  agree(total.values(), least, 1e-11, "costs of assignments");
  for (int q = 0; q < kCount; ++q) {
    std::vector<double> plan(size_t(rows * cols));
    for (int k = q * rows; k < (q + 1) * rows; ++k) {
      const bool inside = r[k] >= 0 && r[k] < m && c[k] >= 0 && c[k] < n;
      expect(inside && (k % rows == 0 || r[k - 1] < r[k]), "pairs of an assignment");
      if (kind == Costs::equal) expect(r[k] == k % rows && c[k] == r[k], "identity of equal costs");
      if (inside) plan[size_t(transposed ? c[k] * cols + r[k] : r[k] * cols + c[k])] += 1;
    }
    const Solution<T> found{
        host.data() + q * rows * cols, rows,   cols, plan, of_rows.data() + q * rows,
        of_cols.data() + q * cols,     gaps[q]};
    const double slacks = found.require(1, 1, least[q], 1, 1e-9 * (1 + std::abs(least[q])));
    expect(std::abs(gaps[q] - slacks) <= 1e-12 * slacks, "sum of slacks");
    largest_gap = std::max(largest_gap, gaps[q]);
  }
}

template <class T>
void flow(Costs kind, int rows, int cols, bool maximize) {
  constexpr int kCount = 2;
  const std::vector<T> host = costs<T>(kind, kCount, rows, cols);
  const OnDevice<T> cost(host);
  const OnDevice<short> units(host.size());
  const OnDevice<double> total(kCount), u(kCount * rows), v(kCount * cols), gap(kCount);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  solve_flows<T>(cost.get(), kCount, rows, cols, maximize,
                 {units.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()}, stream);
  expect(failure.values()[0] == ~0ull, "status of a transport");
  const auto sent = units.values();
  const auto of_rows = u.values(), of_cols = v.values(), gaps = gap.values();
  const double unit = double(std::gcd(rows, cols)) / (double(rows) * cols);
  const auto least = least_transported(widened(host), kCount, rows, cols, maximize);
  agree(total.values(), least, 1e-10, "costs of transports");
  for (int q = 0; q < kCount; ++q) {
    std::vector<double> plan(size_t(rows * cols));
    for (int k = 0; k < rows * cols; ++k) {
      plan[size_t(k)] = unit * sent[size_t((q * cols + k % cols) * rows + k / cols)];
    }
    const Solution<T> found{
        host.data() + q * rows * cols, rows,   cols, plan, of_rows.data() + q * rows,
        of_cols.data() + q * cols,     gaps[q]};
    const double slacks = found.require(1.0 / rows, 1.0 / cols, least[q], maximize ? -1 : 1,
                                        1e-9 * (1 + std::abs(least[q])));
    expect(std::abs(gaps[q] - slacks) <= 1e-9 * slacks, "sum of slacks");
    largest_gap = std::max(largest_gap, gaps[q]);
  }
}

// A good problem, one with a column that nobody may have, one with a NaN.
void refusals(bool flows) {
  constexpr int kSide = 40, kSize = kSide * kSide;
  std::vector<double> host = normal<double>(3 * kSize);
  for (int i = 0; i < kSide; ++i) host[kSize + kSide * i + 7] = INFINITY;
  host[2 * kSize + 41] = NAN;
  const OnDevice<double> cost(host), total(3), u(3 * kSide), v(3 * kSide), gap(3);
  const OnDevice<short> units(host.size());
  const OnDevice<int64_t> row_ind(3 * kSide), col_ind(3 * kSide);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  if (flows) {
    solve_flows<double>(cost.get(), 3, kSide, kSide, false,
                        {units.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
                        stream);
  } else {
    solve_assignments<double>(
        cost.get(), 3, kSide, kSide, false, false,
        {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
        stream);
    const auto c = col_ind.values();
    for (int k = 0; k < 3 * kSide; ++k) expect((c[k] == -1) == (k >= kSide), "refused pairs");
  }
  expect(failure.values()[0] == (1 << 2 | kInfeasible), "first failure of a batch");
  for (const auto& numbers : {total.values(), u.values(), v.values(), gap.values()}) {
    for (size_t k = 0; k < numbers.size(); ++k) {
      expect(std::isnan(numbers[k]) == (k >= numbers.size() / 3), "refused numbers");
    }
  }
}

void assignments() {
  for (const Costs kind : {Costs::any, Costs::ties, Costs::products, Costs::forbidden}) {
    assign<float>(kind, 30, 30, false);
    assign<double>(kind, 20, 41, kind == Costs::any);
    assign<double>(kind, 20, 70, kind == Costs::ties);
  }
  assign<float>(Costs::any, 70, 100, true);
  assign<float>(Costs::equal, 33, 40, false);
  assign<double>(Costs::offset, 60, 60, false);
  expect(largest_gap > 0, "a gap to look at");
  refusals(false);
}

void flows() {
  for (const Costs kind : {Costs::any, Costs::ties, Costs::products, Costs::forbidden}) {
    flow<float>(kind, 12, 20, kind == Costs::any);
    flow<double>(kind, 6, 9, false);
    flow<double>(kind, 20, 70, kind == Costs::ties);
  }
  flow<float>(Costs::any, 1, 5, false);
  flow<double>(Costs::any, 8, 8, false);
  flow<double>(Costs::offset, 28, 84, false);
  expect(largest_gap > 0, "a gap to look at");
  refusals(true);
}

// Pairs of which units repeat, in each of x and between both; the first with a NaN.
template <class T>
struct Units {
  Stack<T> x, y;

  Units(int64_t rows, int64_t dx, int64_t dy) : x(made(rows, dx)), y(repeated(x, dy)) {}
  static Stack<T> made(int64_t rows, int64_t dx) {
    std::vector<T> out = stack<T>(4, rows, dx).host;
    out[7] = std::numeric_limits<T>::quiet_NaN();
    return {out, 4, rows, dx};
  }
  static Stack<T> repeated(const Stack<T>& x, int64_t dy) {
    std::vector<T> out = related(x, dy).host;
    for (int64_t k = x.rows; k < 4 * x.rows; ++k) {
      out[size_t(k * dy + 1)] = out[size_t(k * dy + 3)] = x.host[size_t(k * x.cols)];
    }
    return {out, 4, x.rows, dy};
  }
  UnitShapes shapes() const { return {4, x.rows, x.cols, y.cols}; }

  // All correlations (4, dx, dy).
  std::vector<double> correlations() {
    std::vector<double> a = widened(x.host), b = widened(y.host);
    std::vector<double> out(size_t(4 * x.cols * y.cols));
    std::vector<int64_t> constant(8);
    likewise::unit_correlations(array_of(a, {4, x.rows, x.cols}), array_of(b, {4, x.rows, y.cols}),
                                1, out.data(), {constant.data(), 1, 8});
    return out;
  }
};

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-5 : 1e-10;

template <class T>
void match(Matching matching, int64_t dx, int64_t dy) {
  Units<T> units(21, dx, dy);
  const OnDevice<int64_t> assignment(size_t(4 * dx));
  std::vector<int64_t> wanted(size_t(4 * dx));
  std::vector<double> score;
  compare(
      4, 1, 8, kTolerance<T>,
      [&](const Context& context, double* found, const Counts& counts) {
        match_pairs<T>(context, matching, units.shapes(), units.x.device.get(),
                       units.y.device.get(), found, assignment.get(), counts.row(0));
      },
      [&](double* found, const Counts& counts) {
        likewise::match_pairs(units.x.here(), units.y.here(), matching, 1, found, counts,
                              wanted.data());
        score.assign(found, found + 4);
      });
  const auto partners = assignment.values();
  const std::vector<double> correlations = units.correlations();
  for (int q = 1; q < 3; ++q) {
    double sum = 0;
    int matched = 0;
    for (int64_t i = 0; i < dx; ++i) {
      const int64_t partner = partners[size_t(q * dx + i)];
      if (matching == Matching::semi) expect(partner == wanted[size_t(q * dx + i)], "partner");
      if (partner >= 0) sum += correlations[size_t((q * dx + i) * dy + partner)], ++matched;
    }
    expect(std::abs(sum / matched - score[size_t(q)]) <= kTolerance<T>, "partners of a matching");
  }
}

// A list with a NaN in one item.
Items<double> with_nan() {
  Items<double> out = planted<double>(15, 2);
  std::vector<double> missing = normal<double>(15 * 5);
  missing[7] = NAN;
  out.add(missing);
  return out;
}

void match_grids(Matching matching) {
  compare_grids<double>(
      planted<double>(15), with_nan(), matching, 1, 1e-12,
      [&](double* found, const Counts& counts, const Context& context, const auto&... lists) {
        match_scores<double>(context, matching, lists..., found, counts.row(0));
      },
      likewise::match_scores);
}

void matches() {
  for (const auto matching : {Matching::permutation, Matching::semi}) {
    match<float>(matching, 9, 40);
    match<double>(matching, 40, 11);
    match<double>(matching, 33, 33);
    match_grids(matching);
  }
}

template <class T>
void soft(bool distance, int64_t dx, int64_t dy) {
  Units<T> units(37, dx, dy);
  const SoftMatchOptions options{distance, 1};
  const size_t size = size_t(dx * dy);
  const OnDevice<T> plan(4 * size);
  std::vector<T> unused(4 * size);
  std::vector<double> score;
  compare(
      4, 1, 8, kTolerance<T>,
      [&](const Context& context, double* found, const Counts& counts) {
        soft_match_pairs<T>(context, distance, units.shapes(), units.x.device.get(),
                            units.y.device.get(), found, plan.get(), counts.row(0));
      },
      [&](double* found, const Counts& counts) {
        likewise::soft_match_pairs(units.x.here(), units.y.here(), options, 1, found, counts,
                                   unused.data());
        score.assign(found, found + 4);
      });
  const std::vector<T> plans = plan.values();
  const std::vector<double> correlations = units.correlations();
  for (size_t q = 0; q < 4; ++q) {
    double sum = 0, mass = 0;
    std::vector<double> of_rows(static_cast<size_t>(dx)), of_cols(static_cast<size_t>(dy));
    for (size_t k = 0; k < size; ++k) {
      const double here = double(plans[q * size + k]);
      sum += here * correlations[q * size + k], mass += here;
      of_rows[k / size_t(dy)] += here, of_cols[k % size_t(dy)] += here;
    }
    const bool nothing = q == 0 || q == 3;
    expect(std::abs(mass - !nothing) <= 1e-6, "mass of a plan");
    if (nothing) continue;
    agree(of_rows, std::vector<double>(of_rows.size(), 1.0 / double(dx)), 1e-5, "rows of a plan");
    agree(of_cols, std::vector<double>(of_cols.size(), 1.0 / double(dy)), 1e-5, "its columns");
    const double varying = q == 1 ? 2 - 1.0 / double(dx) - 0 : 2;  // norms; one unit is constant
    const double here = distance ? std::sqrt(std::max(varying - 2 * sum, 0.0)) : sum;
    expect(std::abs(here - score[q]) <= 1e-5, "cost of a plan");
  }
}

void soft_grids(bool distance) {
  const SoftMatchOptions options{distance, 1};
  compare_grids<double>(
      planted<double>(15), with_nan(), options, 1, distance ? 1e-7 : 1e-12,
      [&](double* found, const Counts& counts, const Context& context, const auto&... lists) {
        soft_match_scores<double>(context, distance, lists..., found, counts.row(0));
      },
      likewise::soft_match_scores);
}

// Copies of units, far from the origin: differences of squares would not come so near to 0.
void soft_copies() {
  constexpr int kSamples = 20, kWidth = 3;
  std::vector<double> host_x = normal<double>(kSamples * kWidth), host_y;
  for (int k = 0; k < kSamples * 2 * kWidth; ++k) {
    host_y.push_back(4 * host_x[k / (2 * kWidth) * kWidth + k % kWidth]);
  }
  const OnDevice<double> x(host_x), y(host_y), score(1), plan(2 * kWidth * kWidth);
  const OnDevice<int64_t> constant(2);
  Call call;
  soft_match_pairs<double>(call.context(), true, {1, kSamples, kWidth, 2 * kWidth}, x.get(),
                           y.get(), score.get(), plan.get(), constant.get());
  expect(score.values()[0] <= 1e-14, "distance of copies");
}

void own_scores() {
  std::vector<double> host(40, 0.5);
  const OnDevice<double> known(host), score(2);
  host[33] = NAN;
  const OnDevice<double> unknown(host);
  const OnDevice<int64_t> constant(std::vector<int64_t>{10});
  own_score<double>(known.get(), 40, constant.get(), false, score.get(), stream);
  own_score<double>(unknown.get(), 40, constant.get(), true, score.get() + 1, stream);
  agree(score.values(), std::vector<double>{0.75, NAN}, 0, "own scores");
}

// Plans of given costs in the caller's layout, one of them without a solution.
template <class T>
void plans_of(int rows, int cols, bool transposed) {
  std::vector<T> host = costs<T>(Costs::any, 2, rows, cols);
  for (int j = 0; j < cols; ++j) host[size_t((rows + 1) * cols + j)] = T(INFINITY);
  const OnDevice<T> cost(host), plan(host.size());
  const OnDevice<double> u(2 * (transposed ? cols : rows)), v(2 * (transposed ? rows : cols)),
      gap(2);
  Call call;
  solve_transports<T>(call.context(), {2, rows, cols, transposed}, cost.get(), plan.get(), u.get(),
                      v.get(), gap.get());
  const auto found = plan.values();
  const auto of_rows = (transposed ? v : u).values(), of_cols = (transposed ? u : v).values();
  const auto gaps = gap.values();
  std::vector<double> first;
  for (int k = 0; k < rows * cols; ++k) {
    first.push_back(double(found[size_t(transposed ? k % cols * rows + k / cols : k)]));
    expect(std::isnan(found[size_t(rows * cols + k)]), "no plan");
  }
  host.resize(size_t(rows * cols));
  const double least = least_transported(widened(host), 1, rows, cols, false)[0];
  Solution<T>{host.data(), rows, cols, first, of_rows.data(), of_cols.data(), gaps[0]}.require(
      1.0 / rows, 1.0 / cols, least, 1, 1e-6);
  expect(std::isnan(gaps[1]), "no gap");
}

void plans() {
  for (const bool distance : {false, true}) {
    soft<float>(distance, 6, 8);
    soft<double>(distance, 44, 11);
    soft<double>(distance, 9, 9);
    soft_grids(distance);
  }
  soft_copies();
  own_scores();
  plans_of<float>(6, 9, false);
  plans_of<double>(5, 10, true);
  plans_of<double>(7, 7, false);
}

void similarities() {
  std::vector<double> host = normal<double>(300);
  host[280] = NAN;
  const OnDevice<double> values(host);
  limit_correlations(values.get(), 300, stream);
  for (double& value : host) value = std::isnan(value) ? NAN : std::clamp(value, -1.0, 1.0);
  agree(values.values(), host, 0, "limits of correlations");
}

const Topic lap_topic("lap", assignments);
const Topic flow_topic("flow", flows);
const Topic match_topic("match", matches);
const Topic plans_topic("plans", plans);
const Topic similarity_topic("similarity", similarities);

}  // namespace
}  // namespace likewise::cuda::driver

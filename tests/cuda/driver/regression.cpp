#include <cstring>

#include "both.h"
#include "regression/cuda/lasso.h"
#include "regression/cuda/ridge.h"
#include "regression/cuda/ridge_kernels.h"
#include "regression/lasso.h"
#include "regression/ridge.h"

namespace likewise::cuda::driver {
namespace {

// Of this many rows, in some order.
std::vector<int32_t> shuffled(int64_t rows) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), generator);
  return order;
}

RidgeOptions ridge_options(int64_t rows, int64_t folds, bool relative, bool intercept) {
  return {shuffled(rows), folds, {0.1, 1, 10, 1e4}, relative, intercept};
}

// x has an outlier; the last pair, and the second of y, have nothing to predict or to predict from.
struct Pairs {
  Stack<double> x, y;

  Pairs(int64_t count, int64_t rows, int64_t dx, int64_t dy)
      : x(stack<double>(count, rows, dx)), y(made(x, dy)) {}
  static Stack<double> made(const Stack<double>& x, int64_t dy) {
    std::vector<double> out = related(x, dy).host;
    for (int64_t k = 0; k < x.rows * dy; ++k) {
      if (k % dy == 2) out[size_t(k)] = 0.1;
      out[size_t(x.rows * dy + k)] = double(k % dy);
    }
    out[0] += 1e6;
    return {out, x.count, x.rows, dy};
  }
};

// Folds without variance in some columns, and one sample far away.
Items<double> uneven(const RidgeOptions& options) {
  const int64_t rows = int64_t(options.order.size());
  Items<double> out = planted<double>(rows);
  std::vector<double> x = normal<double>(size_t(rows * 40));
  for (int64_t k = 0; k < rows; ++k) {
    double* const row = x.data() + options.order[size_t(k)] * 40;
    const bool first = k <= (rows - 1) / options.folds;
    row[0] = first ? double(k) : 7.1;
    row[1] = first ? 1.1 : double(k % 5);
    row[2] *= 1e200;
    if (k == 3) row[5] = 1e9;
  }
  out.add(x);
  return out;
}

void ridge_grids(const RidgeOptions& options) {
  const int64_t rows = int64_t(options.order.size());
  compare_grids<double>(
      uneven(options), planted<double>(rows, 1), options, 2, 1e-9,
      [&](double* found, const Counts& counts, const Context& context, const auto& a, const auto& b,
          int64_t, bool symmetric) {
        ridge_scores(context, a, b, symmetric, options, found, counts.row(0), counts.row(1));
      },
      [](const Arrays& a, const Arrays& b, const RidgeOptions& with, int threads, double* found,
         const Counts& counts) {
        likewise::ridge_scores(a, b, with, threads, found, counts, counts.row(1));
      });
}

void ridge_of_pairs(int64_t rows, int64_t dx, int64_t dy, const RidgeOptions& options) {
  constexpr int64_t kCount = 3;
  Pairs given(kCount, rows, dx, dy);
  Stack<double>&x = given.x, &y = given.y;
  const int64_t folds = options.folds;
  // One array has all: scores, correlation, alpha, mean correlation and determination.
  const int64_t places[] = {0, kCount, kCount * (1 + folds * dy), kCount * (1 + 2 * folds * dy),
                            kCount * (1 + 2 * folds * dy + dy)};
  const auto findings = [&](double* found, const Counts& counts) {
    return RidgeFindings{
        found,         found + places[1], found + places[2], found + places[3], found + places[4],
        counts.row(0), counts.row(1)};
  };
  compare(
      size_t(kCount * (1 + 2 * folds * dy + 2 * dy)), 2, 2 * kCount, 1e-9,
      [&](const Context& context, double* found, const Counts& counts) {
        ridge_pairs(context, x.there(), y.there(), kCount, options, findings(found, counts));
      },
      [&](double* found, const Counts& counts) {
        likewise::ridge_pairs(x.here(), y.here(), options, 1, findings(found, counts));
      });
}

// Lines through the origin, too.
void ridge_errors_of(int64_t rows, int64_t dx, int64_t dy, const RidgeOptions& options) {
  constexpr int64_t kCount = 3;
  Pairs given(kCount, rows, dx, dy);
  Stack<double>&x = given.x, &y = given.y;
  const int64_t alphas = int64_t(options.alphas.size()), errors = kCount * alphas * dy;
  compare(
      size_t(errors + kCount * alphas), 1, kCount, 1e-9,
      [&](const Context& context, double* found, const Counts& counts) {
        ridge_errors(context, x.there(), y.there(), kCount, options, found, found + errors,
                     counts.row(0));
      },
      [&](double* found, const Counts& counts) {
        likewise::ridge_errors(x.here(), y.here(), options, 1, found, found + errors,
                               counts.row(0));
      });
}

// More directions than a block has threads.
void directions() {
  constexpr int kMany = 300;
  std::vector<double> host = normal<double>(2 * kMany);
  for (double& v : host) v = 1 + std::abs(v);
  host[7] = 4e-16, host[8] = host[kMany - 1] = 1e-9, host[kMany + 2] = host[kMany + 299] = 0;
  for (const bool roots : {false, true}) {
    const OnDevice<double> values(host), weak(2);
    const OnDevice<int64_t> ranks(2);
    // Either model has a row too few for all.
    const FoldShape shape{2 * kMany, 2};
    keep_directions({values.get(), 2, kMany, 40, shape, true, roots, ranks.get(), weak.get()},
                    stream);
    std::vector<double> wanted, weak_from;
    for (int k = 0; k < 2 * kMany; ++k) {
      const double square = roots ? host[size_t(k)] * host[size_t(k)] : host[size_t(k)];
      const bool absent = roots ? host[size_t(k)] < 1e-14 : k == 7 || k == kMany + 2;
      const bool counts = host[size_t(k)] > (roots ? 1e-8 : 1e-14);
      wanted.push_back(counts ? square : absent ? -INFINITY : -square);
    }
    for (const int m : {0, 1}) {
      weak_from.push_back(0x1p-34 * *std::max_element(&wanted[size_t(m) * kMany],
                                                      &wanted[size_t(m) * kMany] + kMany));
    }
    agree(values.values(), wanted, 0, "directions");
    agree(weak.values(), weak_from, 0, "weak from");
    agree(ranks.values(), std::vector<int64_t>{roots ? kMany - 3 : kMany - 1, kMany - 2}, 0,
          "ranks");
  }
}

void ridge() {
  ridge_of_pairs(17, 40, 5, ridge_options(17, 3, false, true));  // fits any target
  ridge_of_pairs(300, 3, 5, ridge_options(300, 2, true, true));
  ridge_errors_of(17, 8, 37, ridge_options(17, 3, true, true));
  ridge_errors_of(17, 40, 5, ridge_options(17, 3, true, false));
  directions();
}

void folds() {
  ridge_grids(ridge_options(12, 3, false, true));
  if (!thread_sanitizer()) ridge_grids(ridge_options(23, 5, true, true));
  ridge_errors_of(23, 4, 3, ridge_options(23, 5, false, false));
}

// A path that ends at duality gaps of rounding, so that both engines find the same.
void lasso_of_pairs(int64_t rows, int64_t units, int64_t targets, int64_t folds, double spoilt) {
  constexpr int64_t kCount = 3;
  Pairs given(kCount, rows, units, targets);
  given.y.host[size_t(rows * targets * (kCount - 1) + 1)] += spoilt;
  Stack<double>& x = given.x;
  Stack<double> y{given.y.host, kCount, rows, targets};
  const std::vector<double> penalties{0.06, 0.6, 0.2};
  const int64_t number = int64_t(penalties.size()), fits = kCount * number * targets;
  const LassoPathsOptions options{folds ? shuffled(rows) : std::vector<int32_t>{}, folds, penalties,
                                  1e-13};
  const int64_t missed = 2 * kCount * (1 + folds);
  std::vector<double> facts(size_t(kCount * (1 + number) + (5 + units) * fits));
  std::vector<int64_t> counts(size_t(2 * kCount + missed));
  const auto findings = [&](double* to, int64_t* numbers) {
    double* const fitted = to + kCount * (1 + number);
    return LassoFindings{to,
                         to + kCount,
                         fitted,
                         fitted + fits,
                         fitted + 2 * fits,
                         fitted + 5 * fits,
                         fitted + 3 * fits,
                         fitted + 4 * fits,
                         numbers,
                         numbers + 2 * kCount};
  };
  const OnDevice<double> found(facts);
  const OnDevice<int64_t> found_counts(counts);
  Call call;
  lasso_paths(call.context(), x.there(), y.there(), kCount, rows, options,
              findings(found.get(), found_counts.get()));
  likewise::lasso_paths(x.here(), y.here(), options, 1, findings(facts.data(), counts.data()));
  std::vector<double> all = found.values();
  const std::vector<int64_t> numbers = found_counts.values();
  const auto gaps = all.begin() + kCount * (1 + number) + 4 * fits;
  for (int64_t k = 0; k < kCount; ++k) {  // what is told of the gaps is what they are
    double largest = 0, told = 0;
    int64_t open = 0;
    for (int64_t fit = k * fits / kCount; fit < (k + 1) * fits / kCount; ++fit) {
      if (gaps[fit] > largest) largest = gaps[fit];
      open += gaps[fit] > options.tolerance / 2;
    }
    std::memcpy(&told, &numbers[size_t(2 * kCount + 2 * k + 1)], sizeof told);
    expect(told == largest && numbers[size_t(2 * kCount + 2 * k)] == open, "gaps that are told");
  }
  for (std::vector<double>* const one : {&all, &facts}) {
    const auto begin = one->begin() + kCount * (1 + number) + 4 * fits;
    for (auto gap = begin; gap != begin + fits; ++gap) {
      expect(std::isnan(*gap) || *gap < 1e-12, "gap");
      *gap *= 0;
    }
  }
  agree(all, facts, 1e-8, "lasso path");
  agree(std::vector<int64_t>(numbers.begin(), numbers.begin() + 2 * kCount),
        std::vector<int64_t>(counts.begin(), counts.begin() + 2 * kCount), 0, "constant units");
}

void lasso() {
  lasso_of_pairs(90, 150, thread_sanitizer() ? 2 : 4, 0, 0);
  lasso_of_pairs(40, 5, 3, 0, NAN);
}

const Topic ridge_topic("ridge", ridge);
const Topic choice_topic("choice",
                         [] { ridge_of_pairs(17, 8, 37, ridge_options(17, 3, true, true)); });
const Topic folds_topic("folds", folds);
const Topic lasso_topic("lasso", lasso);
const Topic lasso_folds_topic("lasso_folds", [] {
  lasso_of_pairs(23, 12, thread_sanitizer() ? 3 : 11, 3, 0);
  lasso_of_pairs(23, 5, 4, 4, NAN);
});

}  // namespace
}  // namespace likewise::cuda::driver

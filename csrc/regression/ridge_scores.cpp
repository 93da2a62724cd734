#include <algorithm>
#include <cmath>
#include <limits>

#include "core/distinct.h"
#include "core/dtype.h"
#include "regression/ridge.h"
#include "regression/ridge_items.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Of one pair, folds x columns of the target; NaN where either side is constant.
struct Predicted {
  std::vector<double> correlation, determination;
  std::vector<int32_t> choice;
};

// And counts how often each penalty was chosen.
std::vector<Predicted> predict(const std::vector<RidgeSource>& sources,
                               const std::vector<RidgeTarget>& targets,
                               const std::vector<RidgeProblem::Pair>& pairs,
                               const RidgeOptions& options, int threads, int64_t* choices) {
  RidgeProblem problem = ridge_problem(sources, targets, options);
  std::vector<Predicted> found;
  std::vector<Predictivity> out;
  for (const RidgeProblem::Pair& pair : pairs) {
    const RidgeTarget& target = targets[pair.target];
    const size_t size = size_t(options.folds * target.cols);
    const bool defined = sources[pair.source].shape.cols > 0 && !target.is_constant();
    found.push_back({std::vector<double>(size, kNaN), std::vector<double>(size, kNaN),
                     std::vector<int32_t>(defined ? size : 0)});
    if (!defined) continue;
    problem.pairs.push_back(pair);
    out.push_back({found.back().correlation.data(), found.back().determination.data(),
                   found.back().choice.data()});
  }
  ridge_predictivity(problem, threads, out);
  for (const Predicted& one : found) {
    for (const int32_t choice : one.choice) ++choices[choice];
  }
  return found;
}

double mean(const double* values, int64_t count, int64_t step = 1) {
  double sum = 0;
  for (int64_t k = 0; k < count; ++k) sum += values[k * step];
  return sum / double(count);
}

// Sources, targets and pairs of a batch.
struct RidgeBatch {
  std::vector<RidgeSource> sources;
  std::vector<RidgeTarget> targets;
  std::vector<RidgeProblem::Pair> pairs;

  RidgeBatch(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads) {
    dispatch_float(x.dtype, [&](auto zero) {
      using T = decltype(zero);
      const DistinctItems<T> xs(x), ys(y);
      sources = ridge_sources<T>(xs.items, options, threads);
      targets = ridge_targets<T>(ys.items, options, threads);
      for (int64_t k = 0; k < xs.places(); ++k) pairs.push_back({xs.at(k), ys.at(k)});
    });
  }
};

}  // namespace

template <class T>
void ridge_scores(const std::vector<MatrixRef<const T>>& a,
                  const std::vector<MatrixRef<const T>>& b, const RidgeOptions& options,
                  int threads, double* scores, int64_t* constant_units, int64_t* choices) {
  const std::vector<RidgeSource> sources = ridge_sources<T>(a, options, threads);
  const std::vector<RidgeTarget> targets = ridge_targets<T>(b.empty() ? a : b, options, threads);
  for (const RidgeSource& source : sources) *constant_units++ = source.shape.constant_units;
  if (b.empty()) constant_units -= a.size();
  for (const RidgeTarget& target : targets) *constant_units++ = target.constant_units;
  std::vector<RidgeProblem::Pair> pairs;
  for (int64_t i = 0; i < int64_t(sources.size()); ++i) {
    for (int64_t j = 0; j < int64_t(targets.size()); ++j) pairs.push_back({i, j});
  }
  for (const Predicted& one : predict(sources, targets, pairs, options, threads, choices)) {
    *scores++ = mean(one.correlation.data(), int64_t(one.correlation.size()));
  }
}

void ridge_pairs(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads,
                 const RidgeFindings& out) {
  const RidgeBatch batch(x, y, options, threads);
  const std::vector<Predicted> found =
      predict(batch.sources, batch.targets, batch.pairs, options, threads, out.choices);
  const int64_t count = int64_t(found.size()), folds = options.folds, cols = y.shape[y.ndim - 1];
  for (int64_t p = 0; p < count; ++p) {
    const RidgeSource& source = batch.sources[batch.pairs[p].source];
    out.constant_units[p] = source.shape.constant_units;
    out.constant_units[count + p] = batch.targets[batch.pairs[p].target].constant_units;
    const Predicted& one = found[p];
    std::copy(one.correlation.begin(), one.correlation.end(), out.correlation + p * folds * cols);
    for (int64_t k = 0; k < folds * cols; ++k) {
      out.alpha[p * folds * cols + k] =
          std::isnan(one.correlation[k]) ? kNaN : source.alphas[one.choice[k]];
    }
    for (int64_t j = 0; j < cols; ++j) {
      out.mean_correlation[p * cols + j] = mean(&one.correlation[j], folds, cols);
      out.determination[p * cols + j] = mean(&one.determination[j], folds, cols);
    }
    out.score[p] = mean(out.mean_correlation + p * cols, cols);
  }
}

void ridge_errors(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads,
                  double* errors, double* alphas, int64_t* constant_units) {
  const RidgeBatch batch(x, y, options, threads);
  RidgeProblem problem = ridge_problem(batch.sources, batch.targets, options);
  problem.pairs = batch.pairs;
  const int64_t count = int64_t(options.alphas.size()), cols = y.shape[y.ndim - 1];
  std::vector<double*> out;
  for (size_t p = 0; p < batch.pairs.size(); ++p) out.push_back(errors + p * count * cols);
  ridge_errors(problem, threads, out);
  for (const auto& [s, t] : batch.pairs) {
    const RidgeSource& source = batch.sources[s];
    *constant_units++ = source.shape.constant_units;
    alphas = std::copy(source.alphas.begin(), source.alphas.end(), alphas);
    const std::vector<int>& exponents = batch.targets[t].exponents;
    for (int64_t k = 0; k < count * cols; ++k, ++errors) {
      *errors = std::ldexp(*errors, -2 * exponents[k % cols]);
    }
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template void ridge_scores<T>(const std::vector<MatrixRef<const T>>&,                           \
                                const std::vector<MatrixRef<const T>>&, const RidgeOptions&, int, \
                                double*, int64_t*, int64_t*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

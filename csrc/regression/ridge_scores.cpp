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

struct RidgeBatch {
  std::vector<RidgeSource> sources;
  std::vector<RidgeTarget> targets;
  std::vector<RidgeProblem::Pair> pairs;
};

RidgeBatch batch_of(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options,
                    int threads) {
  RidgeBatch batch;
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const DistinctItems<T> xs(x), ys(y);
    batch.sources = ridge_sources<T>(xs.items, options, threads);
    batch.targets = ridge_targets<T>(ys.items, options, threads);
    for (int64_t k = 0; k < xs.places(); ++k) batch.pairs.push_back({xs.at(k), ys.at(k)});
  });
  return batch;
}

// And counts how often each penalty was chosen.
std::vector<Predicted> predict(const RidgeBatch& batch, const RidgeOptions& options, int threads,
                               int64_t* choices) {
  RidgeProblem problem = ridge_problem(batch.sources, batch.targets, options);
  std::vector<Predicted> found;
  std::vector<Predictivity> out;
  for (const RidgeProblem::Pair& pair : batch.pairs) {
    const RidgeTarget& target = batch.targets[pair.target];
    const size_t size = size_t(options.folds * target.cols);
    const bool defined = batch.sources[pair.source].shape.cols > 0 && !target.is_constant();
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

}  // namespace

void ridge_scores(const Arrays& a, const Arrays& b, const RidgeOptions& options, int threads,
                  double* scores, const Counts& counts, int64_t* choices) {
  RidgeBatch all;
  dispatch_float(a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    all.sources = ridge_sources<T>(matrices<T>(a), options, threads);
    all.targets = ridge_targets<T>(matrices<T>(b.empty() ? a : b), options, threads);
  });
  int64_t* constant = counts.row(kConstantUnits);
  for (const RidgeSource& source : all.sources) *constant++ = source.shape.constant_units;
  if (b.empty()) constant -= a.size();
  for (const RidgeTarget& target : all.targets) *constant++ = target.constant_units;
  for (int64_t i = 0; i < int64_t(all.sources.size()); ++i) {
    for (int64_t j = 0; j < int64_t(all.targets.size()); ++j) all.pairs.push_back({i, j});
  }
  for (const Predicted& one : predict(all, options, threads, choices)) {
    *scores++ = mean(one.correlation.data(), int64_t(one.correlation.size()));
  }
}

void ridge_pairs(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads,
                 const RidgeFindings& out) {
  const RidgeBatch batch = batch_of(x, y, options, threads);
  const std::vector<Predicted> found = predict(batch, options, threads, out.choices);
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
  const RidgeBatch batch = batch_of(x, y, options, threads);
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

}  // namespace likewise

#include "regression/ridge.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "core/failures.h"
#include "core/parallel.h"
#include "regression/fold_errors.h"
#include "regression/ridge_source.h"

namespace likewise {
namespace {

constexpr double kModelBytes = 256.0 * (1 << 20);  // models kept at a time

using BlockVisitor =
    std::function<void(int64_t pair, int64_t fold, const TargetBlock& block, FoldErrors& errors)>;

// Calls `visit` for every pair, fold and block of targets; the folds of one block in order and on
// one thread. With `gaps`, models have their gap form.
void for_each_block(const RidgeProblem& problem, bool gaps, int threads,
                    const BlockVisitor& visit) {
  const Folds& folds = problem.folds;
  const int64_t sources = int64_t(problem.sources.size()), count = folds.count();
  std::vector<TargetSums> sums(problem.targets.size());
  parallel_for(int64_t(sums.size()), threads,
               [&](int64_t j, int) { sums[j] = target_sums(problem.targets[j], folds); });
  std::vector<std::vector<int64_t>> pairs_of(static_cast<size_t>(sources));
  for (int64_t p = 0; p < int64_t(problem.pairs.size()); ++p) {
    pairs_of[problem.pairs[p].source].push_back(p);
  }

  struct Task {
    int64_t pair, first;
  };
  struct Workspace {
    ProductWorkspace<double> product;
    TargetBlock block;
    FoldErrors errors;
  };
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  Failures failures;
  for (int64_t begin = 0, end; begin < sources; begin = end) {
    double bytes = 0;
    for (end = begin; end < sources && (end == begin || bytes < kModelBytes); ++end) {
      const double cols = double(problem.sources[end].cols);
      bytes += double(count) * cols * cols * double((gaps ? 4 : 3) * int64_t(sizeof(double)));
    }
    std::vector<std::vector<FoldMoments>> moments(size_t(end - begin));
    std::vector<std::vector<RidgeModel>> models(size_t(end - begin));
    for (auto& list : moments) list.resize(size_t(count));
    for (auto& list : models) list.resize(size_t(count));
    parallel_for((end - begin) * count, threads, [&](int64_t k, int) {
      moments[k / count][k % count] =
          fold_moments(problem.sources[begin + k / count], folds, k % count);
    });
    parallel_for((end - begin) * count, threads, [&](int64_t k, int) {
      RidgeModel& model = models[k / count][k % count];
      if (ridge_model(moments[k / count], folds, k % count, model)) {
        if (gaps) divide_by_gaps(model);
      } else {
        failures.add("item " + std::to_string(begin + k / count) + " without fold " +
                     std::to_string(k % count));
      }
    });
    failures.raise("the eigendecomposition");

    std::vector<Task> tasks;
    for (int64_t s = begin; s < end; ++s) {
      for (const int64_t p : pairs_of[s]) {
        const int64_t cols = problem.targets[problem.pairs[p].target].cols;
        for (int64_t first = 0; first < cols; first += kTargetColumns) tasks.push_back({p, first});
      }
    }
    parallel_for(int64_t(tasks.size()), threads, [&](int64_t k, int worker) {
      const auto [p, first] = tasks[k];
      const auto [s, t] = problem.pairs[p];
      Workspace& w = workspaces[worker];
      fill_block(problem.sources[s], moments[s - begin], problem.targets[t], sums[t], folds, first,
                 w.product, w.block);
      for (int64_t f = 0; f < count; ++f) {
        w.errors.prepare(models[s - begin][f], moments[s - begin], folds, f, w.block, sums[t],
                         problem.targets[t].cols);
        visit(p, f, w.block, w.errors);
      }
    });
  }
}

// Scores of one block of targets and one fold, to `at` in the arrays of the pair.
void score_block(const std::vector<double>& penalties, int64_t cols, int64_t at, FoldErrors& errors,
                 const Predictivity& out) {
  int32_t* choice = out.choice + at;
  errors.choose(penalties, choice);
  errors.solve(penalties, choice);
  for (int64_t j = 0; j < cols; ++j) {
    out.correlation[at + j] = errors.correlation(j);
    out.determination[at + j] =
        errors.constant(j) ? 0 : 1 - errors.squared_error(j) / errors.squares(j);
  }
}

// Columns [first, first + cols) of cross moments about an origin, made those about the means.
std::vector<double> centred_moments(const MatrixRef<const double>& m, const double* sum_x,
                                    const double* mean_y, int64_t first, int64_t cols) {
  std::vector<double> out;
  for (int64_t i = 0; i < m.rows; ++i) {
    for (int64_t j = first; j < first + cols; ++j) out.push_back(m(i, j) - sum_x[i] * mean_y[j]);
  }
  return out;
}

std::vector<double> divided(const double* sums, int64_t size, int64_t samples) {
  std::vector<double> out(sums, sums + size);
  for (double& value : out) value /= double(samples);
  return out;
}

// Of sums alone: a fold's values count as equal where their variance is rounding.
TargetSums sums_of(const RidgeMoments& moments) {
  const int64_t cols = moments.cross[0].cols;
  constexpr double kNoVariance = 1024 * std::numeric_limits<double>::epsilon();
  TargetSums out;
  for (size_t f = 0; f < moments.samples.size(); ++f) {
    for (int64_t j = 0; j < cols; ++j) {
      const double sum = moments.target_sum[f][j], squares = moments.target_squares[f][j];
      const double mean = sum / double(moments.samples[f]), centred = squares - sum * mean;
      const double spread = centred <= kNoVariance * squares ? 0 : 1;
      out.mean.push_back(mean);
      out.squares.push_back(centred);
      out.low.push_back(mean - spread);
      out.high.push_back(mean + spread);
    }
  }
  return out;
}

}  // namespace

void ridge_predictivity(const RidgeMoments& moments, const std::vector<double>& penalties,
                        const Predictivity& out) {
  const size_t count = moments.samples.size();
  const int64_t targets = moments.cross[0].cols;
  Folds folds{{0}, true};
  std::vector<FoldMoments> source;
  for (size_t f = 0; f < count; ++f) {
    folds.edges.push_back(folds.edges.back() + moments.samples[f]);
    const MatrixRef<const double>& gram = moments.gram[f];
    std::vector<double> mean = divided(moments.sum[f], gram.cols, moments.samples[f]);
    source.push_back({centred_moments(gram, moments.sum[f], mean.data(), 0, gram.cols), mean});
  }
  const TargetSums sums = sums_of(moments);
  FoldErrors errors;
  TargetBlock block;
  block.cross.resize(count);
  for (size_t f = 0; f < count; ++f) {
    RidgeModel model;
    if (!ridge_model(source, folds, int64_t(f), model)) {
      throw ConvergenceError("the eigendecomposition did not converge without fold " +
                             std::to_string(f));
    }
    for (block.first = 0; block.first < targets; block.first += kTargetColumns) {
      block.cols = std::min(kTargetColumns, targets - block.first);
      for (size_t g = 0; g < count; ++g) {
        block.cross[g] = centred_moments(moments.cross[g], moments.sum[g],
                                         &sums.mean[g * size_t(targets)], block.first, block.cols);
      }
      errors.prepare(model, source, folds, int64_t(f), block, sums, targets);
      score_block(penalties, block.cols, int64_t(f) * targets + block.first, errors, out);
    }
  }
}

void ridge_predictivity(const RidgeProblem& problem, int threads,
                        const std::vector<Predictivity>& out) {
  for_each_block(problem, false, threads,
                 [&](int64_t p, int64_t f, const TargetBlock& block, FoldErrors& errors) {
                   const auto [s, t] = problem.pairs[p];
                   const int64_t at = f * problem.targets[t].cols + block.first;
                   score_block(problem.penalties[s], block.cols, at, errors, out[p]);
                 });
}

void ridge_errors(const RidgeProblem& problem, int threads, const std::vector<double*>& out) {
  for_each_block(problem, true, threads,
                 [&](int64_t p, int64_t f, const TargetBlock& block, FoldErrors& errors) {
                   const auto [s, t] = problem.pairs[p];
                   const double weight = 1 / double(problem.folds.size(f) * problem.folds.count());
                   const size_t count = problem.penalties[s].size();
                   std::vector<double> squared(count * size_t(block.cols));
                   errors.squared_errors(problem.penalties[s], squared.data());
                   for (size_t a = 0; a < count; ++a) {
                     double* row = out[p] + int64_t(a) * problem.targets[t].cols + block.first;
                     for (int64_t j = 0; j < block.cols; ++j) {
                       row[j] = (f > 0 ? row[j] : 0) +
                                weight * squared[a * size_t(block.cols) + size_t(j)];
                     }
                   }
                 });
}

}  // namespace likewise

#include "regression/ridge.h"

#include <algorithm>
#include <functional>
#include <string>

#include "core/failures.h"
#include "core/parallel.h"
#include "regression/fold_errors.h"
#include "regression/ridge_source.h"

namespace likewise {
namespace {

constexpr double kModelBytes = 256.0 * (1 << 20);  // models kept at a time

template <class T>
using BlockVisitor = std::function<void(int64_t pair, int64_t fold, const TargetBlock& block,
                                        FoldErrors<T>& errors)>;

// Calls `visit` for every pair, fold and block of targets; the folds of one block in order and on
// one thread.
template <class T>
void for_each_block(const RidgeProblem<T>& problem, int threads, const BlockVisitor<T>& visit) {
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
    ProductWorkspace<T, double> product;
    TargetBlock block;
    FoldErrors<T> errors;
  };
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  Failures failures;
  for (int64_t begin = 0, end; begin < sources; begin = end) {
    double bytes = 0;
    for (end = begin; end < sources && (end == begin || bytes < kModelBytes); ++end) {
      const double cols = double(problem.sources[end].cols);
      bytes += double(count) * cols * cols * double(sizeof(double) + 2 * sizeof(T));
    }
    std::vector<std::vector<FoldMoments>> moments(size_t(end - begin));
    std::vector<std::vector<RidgeModel<T>>> models(size_t(end - begin));
    for (auto& list : moments) list.resize(size_t(count));
    for (auto& list : models) list.resize(size_t(count));
    parallel_for((end - begin) * count, threads, [&](int64_t k, int) {
      moments[k / count][k % count] =
          fold_moments(problem.sources[begin + k / count], folds, k % count);
    });
    parallel_for((end - begin) * count, threads, [&](int64_t k, int) {
      if (!ridge_model(moments[k / count], folds, k % count, models[k / count][k % count])) {
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
      fill_block(problem.sources[s], problem.targets[t], folds, first, w.product, w.block);
      for (int64_t f = 0; f < count; ++f) {
        w.errors.prepare(models[s - begin][f], moments[s - begin], folds, f, w.block, sums[t],
                         problem.targets[t].cols);
        visit(p, f, w.block, w.errors);
      }
    });
  }
}

}  // namespace

template <class T>
void ridge_predictivity(const RidgeProblem<T>& problem, int threads,
                        const std::vector<Predictivity>& out) {
  for_each_block<T>(
      problem, threads, [&](int64_t p, int64_t f, const TargetBlock& block, FoldErrors<T>& errors) {
        const auto [s, t] = problem.pairs[p];
        const int64_t at = f * problem.targets[t].cols + block.first;
        int32_t* choice = out[p].choice + at;
        errors.choose(problem.penalties[s], choice);
        errors.solve(problem.penalties[s], choice);
        for (int64_t j = 0; j < block.cols; ++j) {
          out[p].correlation[at + j] = errors.correlation(j);
          out[p].determination[at + j] =
              errors.constant(j) ? 0 : 1 - errors.squared_error(j) / errors.squares(j);
        }
      });
}

template <class T>
void ridge_errors(const RidgeProblem<T>& problem, int threads, const std::vector<double*>& out) {
  for_each_block<T>(
      problem, threads, [&](int64_t p, int64_t f, const TargetBlock& block, FoldErrors<T>& errors) {
        const auto [s, t] = problem.pairs[p];
        const double weight = 1 / double(problem.folds.size(f) * problem.folds.count());
        for (size_t a = 0; a < problem.penalties[s].size(); ++a) {
          double* row = out[p] + int64_t(a) * problem.targets[t].cols + block.first;
          errors.solve(problem.penalties[s][a]);
          for (int64_t j = 0; j < block.cols; ++j) {
            row[j] = (f > 0 ? row[j] : 0) + weight * errors.squared_error(j);
          }
        }
      });
}

#define LIKEWISE_INSTANTIATE(T)                                          \
  template void ridge_predictivity<T>(const RidgeProblem<T>&, int,       \
                                      const std::vector<Predictivity>&); \
  template void ridge_errors<T>(const RidgeProblem<T>&, int, const std::vector<double*>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

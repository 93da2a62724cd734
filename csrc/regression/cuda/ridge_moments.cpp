#include "regression/cuda/ridge_moments.h"

#include <algorithm>

#include "core/cuda/elements.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"
#include "moments/cuda/spectra.h"
#include "regression/cuda/ridge_kernels.h"
#include "regression/cuda/ridge_moments_kernels.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostTargets = 65535;  // of one launch

double* doubles(const Context& context, int64_t size) {
  return context.temporary<double>(size_t(size));
}

int64_t width_of(const std::vector<int64_t>& cols) {
  int64_t width = 1 + int64_t(cols.size());
  for (const int64_t d : cols) width += d;
  return width;
}

// The sums of all folds but one (-1: of all), which are of the same frames, in temporary memory.
Sums add_folds(const Context& context, const std::vector<Sums>& folds, int64_t without) {
  Sums out = folds[0];
  out.alone.clear();
  const auto add = [&](int64_t size, auto&& of_fold) {
    double* const total = doubles(context, size);
    check(cudaMemsetAsync(total, 0, size_t(size) * sizeof(double), context.stream), "memset");
    for (size_t f = 0; f < folds.size(); ++f) {
      if (int64_t(f) == without) continue;
      check(add_products<double>(of_fold(folds[f]), 1, size, total, context.stream), "launch");
    }
    return total;
  };
  out.cross =
      add(width_of(out.cols_a) * width_of(out.cols_b), [](const Sums& sums) { return sums.cross; });
  std::vector<int64_t> cols = out.cols_a;
  cols.insert(cols.end(), out.cols_b.begin(), out.cols_b.end());
  for (size_t k = 0; k < folds[0].alone.size(); ++k) {
    out.alone.push_back(
        add((2 + cols[k]) * (2 + cols[k]), [k](const Sums& sums) { return sums.alone[k]; }));
  }
  return out;
}

// Findings that nobody asks for.
SumsFindings unread(const Context& context, const Sums& sums) {
  return {context.temporary<int64_t>(sums.cols_a.size() + sums.cols_b.size()),
          context.temporary<int64_t>(1)};
}

// A training set and what it leaves out.
struct Split {
  SumsOfPairs train, left_out;

  Split(const Context& context, const std::vector<Sums>& folds, int64_t fold)
      : train(context, add_folds(context, folds, fold), true, unread(context, folds[0])),
        left_out(context, folds[size_t(fold)], true, unread(context, folds[0])) {}
};

// A source without one fold: its eigenvectors in rows, and the Gram matrix of the fold in them.
struct Model {
  int64_t item, cols;
  const double *basis, *fold_gram;
  Candidates candidates;
};

Model fit_model(const Context& context, const Split& split, int64_t item,
                const GivenPenalties& given) {
  const int64_t cols = split.train.left().layout.cols(item), size = cols * cols;
  double *const gram = doubles(context, size), *const half = doubles(context, size);
  double *const fold_gram = doubles(context, size), *const values = doubles(context, cols);
  int64_t* const rank = context.temporary<int64_t>(1);
  split.train.grams(split.train.left(), item, 1, gram, context.stream);
  const DecomposedGrams found = decompose_grams(context, gram, 1, cols);
  check(cudaMemcpyAsync(values, found.values, size_t(cols) * sizeof(double),
                        cudaMemcpyDeviceToDevice, context.stream),
        "copy");
  double* const weak_from = doubles(context, 1);
  check(keep_directions({values, 1, cols, cols, {cols + 1, 1}, true, false, rank, weak_from},
                        context.stream),
        "launch");
  split.left_out.grams(split.left_out.left(), item, 1, fold_gram, context.stream);
  const Matrices<const double> basis{found.vectors, cols, size};
  BlasContext* const blas = blas_context(context.stream);
  gemm<double>(blas, BlasOp::none, BlasOp::none, cols, cols, cols, 1.0, basis,
               {fold_gram, cols, size}, {half, cols, size}, 1);
  gemm<double>(blas, BlasOp::none, BlasOp::transpose, cols, cols, cols, 1.0, {half, cols, size},
               basis, {fold_gram, cols, size}, 1);
  double* const penalties = doubles(context, given.count);
  check(scale_given(given, penalties, context.stream), "launch");
  const Candidates candidates{{0, 1}, 1,         cols,      given.count, values,
                              rank,   weak_from, penalties, nullptr,     split.train.cross().sums};
  return {item, cols, found.vectors, fold_gram, weigh_penalties(context, candidates)};
}

// Mean correlations of `count` equally wide targets from `target` on.
void score_targets(const Context& context, const Split& split, const Model& m, int64_t target,
                   int64_t count, double* correlation) {
  const SumsList &train = split.train.right(), &left_out = split.left_out.right();
  const int64_t cols = train.layout.cols(target), size = m.cols * cols, start = train.start(target);
  double *const products = doubles(context, count * size), *const fitted =
                                                               doubles(context, count * size);
  double *const moments = doubles(context, count * size), *const against =
                                                              doubles(context, count * size);
  BlasContext* const blas = blas_context(context.stream);
  const auto multiply = [&](const double* matrix, const double* by, double* out) {
    gemm<double>(blas, BlasOp::none, BlasOp::none, m.cols, cols, m.cols, 1.0, {matrix, m.cols, 0},
                 {by, cols, size}, {out, cols, size}, count);
  };
  split.train.products(m.item, target, count, products, context.stream);
  multiply(m.basis, products, moments);
  split.left_out.products(m.item, target, count, products, context.stream);
  multiply(m.basis, products, against);
  const Fit fit{m.candidates, count, cols, moments, train.facts.squares + start, nullptr};
  double* const chosen = doubles(context, count * cols);
  choose_penalties(context, fit, {chosen, nullptr, nullptr, nullptr, nullptr, 0});
  check(shrink(fit, chosen, 0, fitted, nullptr, context.stream), "launch");
  multiply(m.fold_gram, fitted, products);
  check(correlate_moments({m.cols, count, cols, m.fold_gram, fitted, against, products,
                           left_out.facts.squares + start},
                          correlation, context.stream),
        "launch");
}

}  // namespace

void ridge_scores_of_moments(const Context& context, const std::vector<Sums>& folds,
                             const std::vector<double>& alphas, bool relative, double* scores,
                             const SumsFindings& findings) {
  const SumsOfPairs whole(context, add_folds(context, folds, -1), true, findings);
  const SumsList &left = whole.left(), &right = whole.right();
  const int64_t pairs = left.count() * right.count(), count_folds = int64_t(folds.size());
  double* const given = doubles(context, int64_t(alphas.size()));
  double* const correlations = doubles(context, count_folds * pairs);
  check(send_values(alphas.data(), int64_t(alphas.size()), given, context.stream), "launch");
  Scratch of_fold(context), of_source(context), of_targets(context);
  for (int64_t fold = 0; fold < count_folds; ++fold) {
    const Split split(of_fold.next(), folds, fold);
    for (int64_t i = 0; i < left.count(); ++i) {
      const Model model = fit_model(of_source.next(), split, i,
                                    {given, int64_t(alphas.size()), left.layout.cols(i),
                                     left.unit + i, relative ? left.facts.traces + i : nullptr,
                                     left.facts.constant_units + i, findings.samples});
      for (int64_t j = 0, count = 0; j < right.count(); j += count) {
        const int64_t bytes = 5 * model.cols * right.layout.cols(j) * int64_t(sizeof(double));
        const int64_t fitting = std::min(kWorkBytes / bytes, kMostTargets);
        count = std::clamp<int64_t>(fitting, 1, right.layout.end_of_run(j) - j);
        score_targets(of_targets.next(), split, model, j, count,
                      correlations + fold * pairs + i * right.count() + j);
      }
    }
  }
  check(mean_of_folds(correlations, count_folds, left.count(), right.count(), left.facts.traces,
                      right.facts.traces, scores, context.stream),
        "launch");
}

}  // namespace likewise::cuda

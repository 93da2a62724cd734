#include "cca/cuda/moments.h"

#include <optional>

#include "cca/cuda/variates.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/svd.h"
#include "moments/cuda/spectra.h"

namespace likewise::cuda {
namespace {

// Whitened directions of a list.
struct Whitened {
  int64_t* ranks;
  Directions directions;

  Whitened(const Context& context, const SumsOfPairs& pairs, const SumsList& list,
           const CanonicalOptions& options, int64_t* dropped)
      : ranks(context.temporary<int64_t>(size_t(list.count()))),
        directions(context, pairs, list, {ranks, dropped, true},
                   options.regularization > 0 || options.variance < 1,
                   [&](const Eigenvalues& spectra, int64_t first, double* weights) {
                     const SpectrumWhitening whitening{options.regularization, options.variance,
                                                       list.facts.constant_units + first, weights};
                     check(whiten_spectra(spectra, whitening, context.stream), "launch");
                   }) {}
};

// Inner products of the variates of item i with its units, in temporary memory.
const double* loadings(const Context& context, const SumsOfPairs& pairs, const Whitened& x,
                       int64_t i, int64_t cols) {
  double* const gram = context.temporary<double>(size_t(cols * cols));
  double* const out = context.temporary<double>(size_t(cols * cols));
  pairs.grams(pairs.left(), i, 1, gram, context.stream);
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, cols, cols, cols, 1.0,
               {x.directions.rows(i), cols, 0}, {gram, cols, 0}, {out, cols, cols * cols}, 1);
  return out;
}

// Weighted means of the correlations of `count` pairs, whose products these are (cols, width).
void score_weighted(const Context& context, const SumsOfPairs& pairs, const Whitened& x, int64_t i,
                    int64_t cols, const double* products, int64_t width, const PairRanks& ranks,
                    double* scores) {
  const JacobiSvd<double> svd = decompose<double>(context, products, ranks.count, cols, width);
  check(scale_similarities(svd.values, ranks.count * svd.n, nullptr, nullptr, context.stream),
        "launch");
  const int64_t size = svd.n * cols;
  double* const projections = context.temporary<double>(size_t(ranks.count * size));
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, svd.n, cols, cols, 1.0,
               {cols >= width ? svd.columns : svd.right, cols, size},
               {loadings(context, pairs, x, i, cols), cols, 0}, {projections, cols, size},
               ranks.count);
  check(
      weighted_correlations({svd.values, projections, svd.n, cols}, ranks, scores, context.stream),
      "launch");
}

}  // namespace

void cca_scores_of_moments(const Context& context, const Sums& sums,
                           const CanonicalOptions& options, double* scores,
                           const SumsFindings& findings, int64_t* dropped) {
  const SumsOfPairs pairs(context, sums, true, findings);
  const SumsList &left = pairs.left(), &right = pairs.right();
  const Whitened x(context, pairs, left, options, dropped);
  std::optional<Whitened> other;
  if (!pairs.symmetric) other.emplace(context, pairs, right, options, dropped + left.count());
  const Whitened& y = other ? *other : x;
  const bool half = pairs.symmetric && !options.weighted;
  for_each_product(
      context, pairs, &x.directions, &y.directions, half ? GridPart::upper : GridPart::all,
      [&](const Context& inner, int64_t i, int64_t j, int64_t count, const double* products) {
        const int64_t cols = left.layout.cols(i), width = right.layout.cols(j);
        const PairRanks ranks{x.ranks + i, y.ranks + j, 0, 1, count};
        double* const out = scores + i * right.count() + j;
        if (options.weighted) {
          return score_weighted(inner, pairs, x, i, cols, products, width, ranks, out);
        }
        double* const sum = inner.temporary<double>(size_t(count));
        nuclear_norms<double>(inner, products, count, cols, width, sum);
        check(mean_correlations(sum, ranks, out, inner.stream), "launch");
        check(scale_similarities(out, count, nullptr, nullptr, inner.stream), "launch");
      });
  if (half) check(mirror_upper(scores, left.count(), context.stream), "launch");
}

}  // namespace likewise::cuda

#include "procrustes/cuda/moments.h"

#include <optional>

#include "linalg/cuda/polar.h"
#include "moments/cuda/spectra.h"
#include "procrustes/cuda/gap_score.h"

namespace likewise::cuda {
namespace {

// Of the items of a list: norms in units of the sums, and of the data.
struct Norms {
  double *norms, *lengths;

  Norms(const Context& context, const SumsList& list)
      : norms(context.temporary<double>(size_t(2 * list.count()))), lengths(norms + list.count()) {
    check(norms_of(list.facts.traces, list.unit, list.count(), norms, lengths, context.stream),
          "launch");
  }
};

}  // namespace

void procrustes_scores_of_moments(const Context& context, const Sums& sums,
                                  const ProcrustesOptions& options, double* scores,
                                  const SumsFindings& findings, int64_t* dropped) {
  const SumsOfPairs pairs(context, sums, options.center, findings);
  const SumsList &left = pairs.left(), &right = pairs.right();
  const Norms of_x(context, left);
  const Norms of_y = pairs.symmetric ? of_x : Norms(context, right);
  const bool reshaped = options.alpha < 1;
  const auto weigh_in = [&](const double* units) {
    return [&context, &options, units](const Eigenvalues& spectra, int64_t first, double* weights) {
      check(reshape_spectra(spectra, options.alpha, units + first, weights, context.stream),
            "launch");
    };
  };
  std::optional<Directions> of_left, of_right;
  const auto reshape = [&](const SumsList& list, int64_t first, std::optional<Directions>& out) {
    int64_t* const ranks = context.temporary<int64_t>(size_t(list.count()));
    out.emplace(context, pairs, list, Directions::Existing{ranks, dropped + first, options.center},
                options.alpha > 0, weigh_in(list.unit));
  };
  if (reshaped) reshape(left, 0, of_left);
  if (reshaped && !pairs.symmetric) reshape(right, left.count(), of_right);
  const Directions* const x = reshaped ? &*of_left : nullptr;
  const Directions* const y = of_right ? &*of_right : x;
  const GapScore score = gap_score(options);
  for_each_product(
      context, pairs, x, y, pairs.symmetric ? GridPart::upper_without_diagonal : GridPart::all,
      [&](const Context& inner, int64_t i, int64_t j, int64_t count, const double* products) {
        double* const similarity = inner.temporary<double>(size_t(count));
        nuclear_norms<double>(inner, products, count, left.layout.cols(i), right.layout.cols(j),
                              similarity);
        check(scale_similarities(similarity, count, reshaped ? nullptr : of_x.norms + i,
                                 of_y.norms + j, inner.stream),
              "launch");
        const Gaps gaps{similarity, nullptr, of_x.lengths + i, of_y.lengths + j, 0, 1, count, 0};
        check(score_gaps(gaps, score, scores + i * right.count() + j, nullptr, inner.stream),
              "launch");
      });
  if (!pairs.symmetric) return;
  check(mirror_scores(of_x.lengths, left.count(), score, scores, context.stream), "launch");
}

}  // namespace likewise::cuda

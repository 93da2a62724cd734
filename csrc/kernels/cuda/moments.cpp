#include "kernels/cuda/moments.h"

namespace likewise::cuda {
namespace {

void score(const Context& context, const CentredSums& sums, int64_t widest, LinearHsic hsic) {
  hsic.stripes = (widest + kStripeOfRows - 1) / kStripeOfRows;
  hsic.parts = context.temporary<double>(size_t(2 * sums.x.count * sums.y.count * hsic.stripes));
  check(linear_hsic(sums, hsic, context.stream), "launch");
}

// Of every item with itself.
const double* score_alone(const Context& context, const SumsList& list, bool unbiased) {
  double* const own = context.temporary<double>(size_t(list.count()));
  for (int64_t k = 0; k < list.count(); ++k) {
    const double* const trace = list.facts.traces + k;
    score(context, list.alone[size_t(k)], list.layout.cols(k),
          {unbiased, trace, trace, nullptr, nullptr, nullptr, 0, own + k});
  }
  return own;
}

}  // namespace

void kernel_scores_of_moments(const Context& context, const Sums& sums, bool unbiased,
                              bool normalise, double* scores, const SumsFindings& findings) {
  const SumsOfPairs pairs(context, sums, true, findings);
  const SumsList &left = pairs.left(), &right = pairs.right();
  double* const products =
      normalise ? context.temporary<double>(size_t(left.count() * right.count())) : scores;
  score(context, pairs.cross(), left.widest(),
        {unbiased, left.facts.traces, right.facts.traces, normalise ? nullptr : left.unit,
         normalise ? nullptr : right.unit, nullptr, 0, products});
  if (pairs.symmetric) check(mirror_upper(products, left.count(), context.stream), "launch");
  if (!normalise) return;
  const double* const own_x = pairs.symmetric ? products : score_alone(context, left, unbiased);
  const double* const own_y = pairs.symmetric ? products : score_alone(context, right, unbiased);
  const int64_t step = pairs.symmetric ? left.count() + 1 : 1;
  check(normalise_products(products, left.count(), right.count(), own_x, step, own_y, step, scores,
                           context.stream),
        "launch");
}

}  // namespace likewise::cuda

#pragma once

#include <bit>

#include "core/cuda/grid.h"
#include "linalg/cuda/products.h"
#include "rsa/cuda/bures.h"
#include "rsa/cuda/prepared.h"
#include "rsa/cuda/riemannian.h"

// Scores of prepared RDMs.

namespace likewise::cuda {

inline int64_t pairs_of(const PairAxes& axes) {
  int64_t pairs = 1;
  for (int axis = 0; axis < axes.ndim; ++axis) pairs *= axes.shape[axis];
  return pairs;
}

// Kendall's coefficients of the pairs of these axes.
inline void score_taus(const Context& context, const RankedRdms& a, const RankedRdms& b,
                       const PairAxes& axes, Tau tau, double* scores) {
  const int64_t size = a.size, pairs = pairs_of(axes);
  const int64_t group = std::min(fitting(size * 4 * int64_t(sizeof(int32_t)), pairs), kMostVectors);
  const SortSpace<float> space = sort_space<float>(context, group, size);
  const int digits = (std::bit_width(uint64_t(size - 1)) + 7) / 8;
  auto* const tied = context.temporary<unsigned long long>(size_t(2 * group));
  auto* const discordant = tied + group;
  for (int64_t first = 0; first < pairs; first += group) {
    const int64_t some = std::min(group, pairs - first);
    check(cudaMemsetAsync(tied, 0, size_t(2 * group) * sizeof *tied, context.stream), "memset");
    check(gather_ranks(a, b, axes, first, some, space.keys[0], space.positions[0], context.stream),
          "launch");
    check(sort_keys(some, size, digits, true, space, context.stream), "launch");
    const unsigned* const keys = space.keys[digits % 2];
    int32_t *const ranks = space.positions[digits % 2], *const room =
                                                            space.positions[1 - digits % 2];
    check(add_tied(keys, ranks, some, size, tied, context.stream), "launch");
    check(add_inversions(ranks, room, some, size, discordant, context.stream), "launch");
    check(taus(a, b, axes, {tied, discordant}, tau, first, some, scores, context.stream), "launch");
  }
}

inline Tau tau_of(const PreparedRdms<Form::ordered_ranks>& items) {
  return items.comparison() == RdmComparison::tau_a ? Tau::a : Tau::b;
}

// All pairs of items [0, count_a) with the count_b behind them, row-major; `symmetric`: of the
// count_a items with each other.
inline void score_all(const Context& context, const PreparedRdms<Form::ordered_ranks>& items,
                      int64_t count_a, int64_t count_b, bool symmetric, double* scores) {
  if (!symmetric) {
    const PairAxes all{2, {count_a, count_b}, {1, 0}, {0, 1}};
    return score_taus(context, items.ranks(0), items.ranks(count_a), all, tau_of(items), scores);
  }
  Scratch scratch(context);
  for (int64_t i = 0; i < count_a; ++i) {
    const PairAxes rest{1, {count_a - i}, {0}, {1}};
    score_taus(scratch.next(), items.ranks(i), items.ranks(i), rest, tau_of(items),
               scores + i * count_a + i);
  }
  check(mirror_upper(scores, count_a, context.stream), "launch");
}

inline BuresItems bures_items(const Context& context, const PreparedRdms<Form::covariances>& items,
                              int64_t first, int64_t count) {
  return bures_items(context, items.vectors(first), count, items.samples(),
                     {items.tolerance(), items.clipped(first)});
}

inline void score_all(const Context& context, const PreparedRdms<Form::covariances>& items,
                      int64_t count_a, int64_t count_b, bool symmetric, double* scores) {
  const bool metric = items.comparison() == RdmComparison::bures_metric;
  const BuresItems a = bures_items(context, items, 0, count_a);
  const BuresItems b = symmetric ? a : bures_items(context, items, count_a, count_b);
  bures_scores(context, a, b, symmetric, metric, scores);
}

inline RiemannianItems riemannian_items(const Context& context,
                                        const PreparedRdms<Form::distances>& items, int64_t first,
                                        int64_t count) {
  return riemannian_items(context, items.vectors(first).data, items.facts(first), count,
                          items.samples());
}

inline void score_all(const Context& context, const PreparedRdms<Form::distances>& items,
                      int64_t count_a, int64_t count_b, bool symmetric, double* scores) {
  const RiemannianItems a = riemannian_items(context, items, 0, count_a);
  const RiemannianItems b = symmetric ? a : riemannian_items(context, items, count_a, count_b);
  const PairAxes all{2, {a.count, b.count}, {1, 0}, {0, 1}};
  riemannian_scores(context, a, b, all, a.count * b.count, scores);
}

// The same, by inner products.
template <Form form>
void score_all(const Context& context, const PreparedRdms<form>& items, int64_t count_a,
               int64_t count_b, bool symmetric, double* scores) {
  const int64_t count = symmetric ? count_a : count_a + count_b;
  const int64_t size = items.size(), block = fitting(count * int64_t(sizeof(double)), size);
  double* const values = context.temporary<double>(size_t(count * block));
  double* const parts =
      context.temporary<double>(size_t(product_parts<double>(count_a, count_b, block)));
  check(cudaMemsetAsync(scores, 0, size_t(count_a * count_b) * sizeof(double), context.stream),
        "memset");
  for (int64_t first = 0; first < size; first += block) {
    const int64_t width = std::min(block, size - first);
    check(expand(items.vectors(), count, first, width, values, context.stream), "launch");
    add_all_products<double>(context, values, count_a,
                             symmetric ? values : values + count_a * width, count_b, width, parts,
                             scores);
  }
  if (symmetric) check(mirror_upper(scores, count_a, context.stream), "launch");
}

// The pairs of these axes, whose items begin with `first_a` and, behind all of those, with
// `first_b`.
inline void score_pairs(const Context& context, const PreparedRdms<Form::ordered_ranks>& items,
                        int64_t first_a, int64_t first_b, const PairAxes& axes, double* scores) {
  score_taus(context, items.ranks(first_a), items.ranks(first_b), axes, tau_of(items), scores);
}

inline void score_pairs(const Context& context, const PreparedRdms<Form::covariances>& items,
                        int64_t first_a, int64_t first_b, const PairAxes& axes, double* scores) {
  const bool metric = items.comparison() == RdmComparison::bures_metric;
  const BuresItems a = bures_items(context, items, first_a, first_b - first_a);
  const BuresItems b = bures_items(context, items, first_b, items.count() - first_b);
  bures_pairs(context, a, b, axes, pairs_of(axes), metric, scores);
}

inline void score_pairs(const Context& context, const PreparedRdms<Form::distances>& items,
                        int64_t first_a, int64_t first_b, const PairAxes& axes, double* scores) {
  const RiemannianItems a = riemannian_items(context, items, first_a, first_b - first_a);
  const RiemannianItems b = riemannian_items(context, items, first_b, items.count() - first_b);
  riemannian_scores(context, a, b, axes, pairs_of(axes), scores);
}

// The same, by inner products.
template <Form form>
void score_pairs(const Context& context, const PreparedRdms<form>& items, int64_t first_a,
                 int64_t first_b, const PairAxes& axes, double* scores) {
  const auto a = items.vectors(first_a), b = items.vectors(first_b);
  const int64_t pairs = pairs_of(axes), parts = vector_parts(items.size());
  const int64_t block = fitting(parts * int64_t(sizeof(double)), pairs);
  double* const partial = context.temporary<double>(size_t(block * parts));
  for (int64_t first = 0; first < pairs; first += block) {
    const int64_t some = std::min(block, pairs - first);
    check(pair_products(a, b, axes, first, some, partial, context.stream), "launch");
    check(pair_scores(partial, parts, a.factors, b.factors, axes, first, some, scores,
                      context.stream),
          "launch");
  }
}

}  // namespace likewise::cuda

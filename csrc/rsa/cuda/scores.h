#pragma once

#include "core/cuda/grid.h"
#include "linalg/cuda/products.h"
#include "rsa/cuda/prepared.h"

// Scores of prepared RDMs.

namespace likewise::cuda {

inline int64_t pairs_of(const PairAxes& axes) {
  int64_t pairs = 1;
  for (int axis = 0; axis < axes.ndim; ++axis) pairs *= axes.shape[axis];
  return pairs;
}

// All pairs of items [0, count_a) with the count_b behind them, row-major; `symmetric`: of the
// count_a items with each other.
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
    expand(items.vectors(), count, first, width, values, context.stream);
    add_all_products<double>(context, values, count_a,
                             symmetric ? values : values + count_a * width, count_b, width, parts,
                             scores);
  }
  if (symmetric) mirror_upper(scores, count_a, context.stream);
}

// The pairs of these axes, whose items begin with `first_a` and, behind all of those, with
// `first_b`.
template <Form form>
void score_pairs(const Context& context, const PreparedRdms<form>& items, int64_t first_a,
                 int64_t first_b, const PairAxes& axes, double* scores) {
  const auto a = items.vectors(first_a), b = items.vectors(first_b);
  const int64_t pairs = pairs_of(axes), parts = vector_parts(items.size());
  const int64_t block = fitting(parts * int64_t(sizeof(double)), pairs);
  double* const partial = context.temporary<double>(size_t(block * parts));
  for (int64_t first = 0; first < pairs; first += block) {
    const int64_t some = std::min(block, pairs - first);
    pair_products(a, b, axes, first, some, partial, context.stream);
    pair_scores(partial, parts, a.factors, b.factors, axes, first, some, scores, context.stream);
  }
}

}  // namespace likewise::cuda

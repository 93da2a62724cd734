#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "neighbours/cuda/overlap.h"
#include "neighbours/neighbours.h"

namespace likewise::cuda {

// What one call finds, in device memory; the items are those of a, then of b.
struct NeighbourFindings {
  double* scores;
  int64_t* status;          // of every item: 0, kUnusable or kUnaligned
  int64_t* constant_units;  // of every item
};

// Scores (see neighbours/neighbours.h) of all pairs, row-major. `b` is ignored with `symmetric`,
// which compares a with itself.
//
// Blocks of at most 256 MiB of inner products go through one selection of the nearest; what stays
// are the lists of neighbours of all items.
//
// Estimate for an H100, mutual nearest neighbours of 200 items, n = 2048, d = 512, k = 10, float32,
// not measured: products of 0.86 TFLOP at 50 TFLOP/s, 17 ms, selection and pairs 2 ms each.
template <class T>
void neighbour_scores(const Context& context, const std::vector<Matrix<T>>& a,
                      const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                      NeighbourScore score, const NeighbourOptions& options,
                      const NeighbourFindings& out);

// The same of these pairs.
template <class T>
void neighbour_pairs(const Context& context, const Batch<T>& x, const Batch<T>& y, int64_t rows,
                     const PairAxes& pairs, NeighbourScore score, const NeighbourOptions& options,
                     const NeighbourFindings& out);

}  // namespace likewise::cuda

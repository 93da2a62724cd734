#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "core/cuda/pairs.h"
#include "rsa/cuda/roots.h"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {

// Second moments of RDMs of n samples, and roots of them (count x n x n): Bures's similarity and
// metric are Procrustes scores of these.
struct BuresItems {
  const double *roots, *factors;
  int64_t count, n;
};

BuresItems bures_items(const Context& context, const Vectors<double>& moments, int64_t count,
                       int64_t n, const Clipping& clipping);

// Scores of all pairs, row-major; `symmetric`: of a with itself. `metric`: the squared distance,
// else the similarity.
void bures_scores(const Context& context, const BuresItems& a, const BuresItems& b, bool symmetric,
                  bool metric, double* scores);

// The same of the pairs of these axes.
void bures_pairs(const Context& context, const BuresItems& a, const BuresItems& b,
                 const PairAxes& axes, int64_t pairs, bool metric, double* scores);

}  // namespace likewise::cuda

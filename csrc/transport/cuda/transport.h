#pragma once

#include <cstdint>
#include <vector>

#include "assignment/cuda/match.h"
#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "transport/cuda/flow.h"

namespace likewise::cuda {

// Problems rows x cols with rows <= cols <= kMostTransported. With `transposed` they stand for
// their transposes: plans then are written as (count, cols, rows).
struct TransportShapes {
  int64_t count;
  int rows, cols;
  bool transposed;
};

// Plans, dual variables and gap of likewise::solve_transports, with uniform marginals, of `cost`
// (count, rows, cols), contiguous. All NaN for a problem without a solution.
template <class T>
void solve_transports(const Context& context, const TransportShapes& shapes, const T* cost, T* plan,
                      double* row_dual, double* column_dual, double* gap);

// As likewise::soft_match_pairs with all of the mass, for arrays as match_pairs takes them; dx and
// dy are at most kMostTransported.
template <class T>
void soft_match_pairs(const Context& context, bool distance, const UnitShapes& shapes, const T* x,
                      const T* y, double* score, T* plan, int64_t* constant_units);

// Scores of all pairs, row-major. `b` is ignored with `symmetric`, which compares a with itself.
// constant_units of all items of a, then of b.
template <class T>
void soft_match_scores(const Context& context, bool distance, const std::vector<Matrix<T>>& a,
                       const std::vector<Matrix<T>>& b, int64_t samples, bool symmetric,
                       double* scores, int64_t* constant_units);

}  // namespace likewise::cuda

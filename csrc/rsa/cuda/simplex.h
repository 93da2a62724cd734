#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"

// The search of Nelder & Mead (1965) for the least distance over the logarithms of a and b, in the
// steps of SciPy's `minimize`: what a call of step_simplexes gives to one step is one evaluation.

namespace likewise::cuda {

constexpr int kMostEvaluations = 400;

enum class SimplexPhase : int { begin, reflect, expand, contract_outside, contract_inside, shrink };

// One search. Points are (log a, log b).
struct Simplex {
  double points[3][2], values[3];        // of its corners, the least first
  double trial[2];                       // what is evaluated now
  double reflected[2], reflected_value;  // the trial before, if phase is past `reflect`
  double scale;                          // |A|, or 0 where eigenvalues come with their signs
  double signal, noise, shift;           // a, b and what keeps a A + b B from negative values
  SimplexPhase phase;
  int corner, evaluations;  // the corner that `begin` and `shrink` evaluate
  bool done;
};

// Pairs [first, first + count) of items whose faults (see pencils.h) are these begin their search.
// Those that cannot be compared are done, with the score NaN, and where that is for the rank of
// the second item *rank (or null: nobody will look) is lowered to `side`. `signals` (count x side x
// side): A; `shifted`: whether eigenvalues will be found as singular values.
struct SimplexStart {
  const double* signals;
  const int *faults_a, *faults_b;
  int64_t first, side;
  bool shifted;
  Simplex* searches;
  double* scores;  // of all pairs
  unsigned long long* rank;
};
cudaError_t start_simplexes(const SimplexStart& start, const PairAxes& axes, int64_t count,
                            cudaStream_t stream);

// Every search that is not done takes a step with the eigenvalues (count x side) of its matrix, in
// any order. scores[k] = - the least distance of those that are done with that.
cudaError_t step_simplexes(const double* eigenvalues, int64_t count, int64_t side,
                           Simplex* searches, double* scores, cudaStream_t stream);

}  // namespace likewise::cuda

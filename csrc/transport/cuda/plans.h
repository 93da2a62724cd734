#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "assignment/cuda/unit_runs.h"
#include "transport/cuda/flow.h"

// What surrounds solve_flows. Problems are `count` of rows x cols, rows <= cols.

namespace likewise::cuda {

// The units that solve_flows would send, from the pairs of solve_assignments, rows == cols; cost
// and gap of `out` hold its sums.
void flows_of_pairs(const int64_t* row_ind, const int64_t* col_ind, int64_t count, int side,
                    const FlowOutputs& out, cudaStream_t stream);

// The plans in the caller's layout: (count, rows, cols), or (count, cols, rows) if `transposed`.
// Where `known` (count) is NaN they hold `otherwise`.
template <class T>
void write_plans(const short* units, const double* known, int64_t count, int rows, int cols,
                 bool transposed, T otherwise, T* plan, cudaStream_t stream);

// (count, cols): what each column contributes to sum P |a - b|^2, from the units themselves.
template <class T>
void transported_squares(const UnitRun<T>& rows, const UnitRun<T>& cols, int64_t count,
                         int64_t samples, const short* units, double* out, cudaStream_t stream);

// score (count): the cost, or with squares (count, cols) the root of their sum; NaN where the cost
// is NaN or a side is all constant.
template <class T>
void finish_soft_match(const double* cost, const double* squares, const UnitRun<T>& rows,
                       const UnitRun<T>& cols, int64_t count, double* score, cudaStream_t stream);

// The score of an item (samples x cols) with itself: every unit is its own best partner, a constant
// one at distance 0, others at a correlation of 1. NaN for a constant item and one with NaN.
template <class T>
void own_score(const T* units, int64_t cols, const int64_t* constant_units, bool distance,
               double* score, cudaStream_t stream);

}  // namespace likewise::cuda

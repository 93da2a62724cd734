#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// A larger problem does not fit the shared memory of every architecture.
constexpr int kMostAssigned = 4096;

enum AssignmentStatus : int { kAssigned = 0, kInfeasible = 1, kInvalidCost = 2 };

// What is written for each problem, one after the other. `cost` and `failure` may be null, and so
// may the duals and the gap, together. Pairs of a problem without a solution are -1, its other
// numbers NaN.
struct AssignmentOutputs {
  int64_t* row_ind;             // (count, rows), ascending
  int64_t* col_ind;             // (count, rows)
  double* cost;                 // (count)
  double* row_dual;             // (count, rows)
  double* column_dual;          // (count, cols)
  double* gap;                  // (count), see AssignmentSolver::certify
  unsigned long long* failure;  // one for all: see CallStatus
};

// All problems of `cost` (count, rows, cols), contiguous, rows <= cols <= kMostAssigned. With
// `transposed` they stand for their transposes: rows and columns change places in what is written.
template <class T>
void solve_assignments(const T* cost, int64_t count, int rows, int cols, bool maximize,
                       bool transposed, const AssignmentOutputs& out, cudaStream_t stream);

}  // namespace likewise::cuda

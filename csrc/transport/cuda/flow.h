#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "assignment/cuda/lap.h"

namespace likewise::cuda {

// A larger problem does not fit the shared memory of every architecture.
constexpr int kMostTransported = kMostAssigned;

// Whole numbers of units that every row sends and every column takes, which are less than 2^15, and
// the part of a mass of 1 that one unit is.
struct UniformMarginals {
  UniformMarginals(int rows, int cols);
  short supply, demand;
  double unit;
};

// What is written for each problem, one after the other. `failure` may be null, and so may the
// duals and the gap, together. Numbers of a problem without a solution are NaN, its units anything.
struct FlowOutputs {
  short* units;                 // (count, cols, rows) that columns get from rows
  double* cost;                 // (count): sum of masses times costs
  double* row_dual;             // (count, rows)
  double* column_dual;          // (count, cols)
  double* gap;                  // (count), see TransportSolver::certify
  unsigned long long* failure;  // one for all: see CallStatus, with an AssignmentStatus
};

// Transport with uniform marginals for all problems of `cost` (count, rows, cols), contiguous,
// rows <= cols <= kMostTransported.
template <class T>
void solve_flows(const T* cost, int64_t count, int rows, int cols, bool maximize,
                 const FlowOutputs& out, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Of `count` symmetric matrices (n x n): those with numbers that are not finite become zeros,
// unusable[k] says which.
void clear_unusable(double* matrices, int64_t count, int64_t n, int* unusable, cudaStream_t stream);

// What becomes of a matrix that was unusable, or that no decomposition was found of: with
// `identity` its vectors, otherwise it is NaN all over, and *failure (or null) is lowered to its
// place, counted from `first`. `vectors` may be null.
struct Unsolved {
  const int *unusable, *findings;
  double *values, *vectors;
  int64_t count, n, first;
  bool identity;
  unsigned long long* failure;
};
void replace_unsolved(const Unsolved& unsolved, cudaStream_t stream);

// out (count, n): ascending values, or their square roots, in descending order; those below zero
// count as zero.
template <class T>
void descending(const double* values, int64_t count, int64_t n, bool roots, T* out,
                cudaStream_t stream);

}  // namespace likewise::cuda

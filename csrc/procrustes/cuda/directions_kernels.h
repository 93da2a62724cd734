#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/centred.h"

namespace likewise::cuda {

// Of centred items (rows x cols) that centre() made of the samples x, columns of unit norm: out may
// be centred.out. norms (count, cols): what they had in the data, 0 for those that rounding of the
// samples may have made, which become zero (see procrustes/directions.h).
void unit_columns(const double* x, const Centred<double>& centred, int64_t count, int64_t rows,
                  int64_t cols, bool center, double* out, double* norms, cudaStream_t stream);

// Which singular values (count, width) of such columns are more than rounding.
struct ExistingValues {
  double* values;           // 0 for the others
  double* exist;            // (count, width): 1 or 0
  int64_t* ranks;           // (count)
  int64_t* dropped;         // (count): how many more there could be
  int64_t* constant_units;  // (count): all of them where nothing exists
  int64_t count, width, rows, cols;
  bool center;
};
void find_existing(const ExistingValues& existing, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// Units of `count` representations (rows x cols), as likewise::unit_columns makes them. The numbers
// of constant ones are added to constant_units[0], [step], ...
template <class T>
void unit_columns(const T* x, int64_t count, int64_t rows, int64_t cols, T* out,
                  int64_t* constant_units, int64_t step, cudaStream_t stream);

// How many units of an item are constant; those of the next item are `step` numbers away.
struct ConstantUnits {
  const int64_t* numbers;
  int64_t step;
};

// What becomes of a matching: the mean similarity and the partner of every unit of x.
struct MatchOutputs {
  double* score;        // (count)
  int64_t* assignment;  // (count, dx), or null
  ConstantUnits constant_x, constant_y;
  int64_t dx, dy;
};

// From the pairs of solve_assignments, `pairs` of each item, and the sums of their similarities.
void finish_permutation(const int64_t* row_ind, const int64_t* col_ind, const double* sum,
                        int64_t count, int64_t pairs, const MatchOutputs& out, cudaStream_t stream);

// From the similarities (count, dx, dy): the largest of every unit, and the first unit that is
// within `tie` of it.
void finish_semi(const double* similarity, int64_t count, double tie, const MatchOutputs& out,
                 cudaStream_t stream);

}  // namespace likewise::cuda

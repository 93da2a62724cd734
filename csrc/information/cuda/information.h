#pragma once

#include <cstdint>

#include "assignment/cuda/match.h"
#include "core/cuda/context.h"

namespace likewise::cuda {

// codes (count x cols x rows) of the units of `count` representations (rows x cols). The numbers of
// constant units are added to constant_units[0], [step], ...
template <class T>
void bin_units(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
               int64_t bins, uint8_t* codes, int64_t* constant_units, int64_t step);

// out (count, dx, dy) as likewise::mutual_information of the units of `count` pairs x (count, rows,
// dx) and y (count, rows, dy), all contiguous; constant_units (count, 2).
template <class T>
void mutual_information(const Context& context, const UnitShapes& shapes, const T* x, const T* y,
                        int64_t bins, bool correct, double* out, int64_t* constant_units);

}  // namespace likewise::cuda

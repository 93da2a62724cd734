#pragma once

#include <cstdint>

#include "assignment/cuda/match.h"
#include "core/cuda/context.h"
#include "units/cuda/partners.h"
#include "units/cuda/statistics.h"

namespace likewise::cuda {

// out (count, dx, dy): correlations of the units of `count` pairs x (count, rows, dx) and y (count,
// rows, dy), all contiguous; constant_units (count, 2).
void unit_correlations(const Context& context, const UnitShapes& shapes, const double* x,
                       const double* y, double* out, int64_t* constant_units);

// weights (dx + dy, dx + dy) of the edges between the units of x (rows, dx) and y (rows, dy), of
// one network as well if `inside`; constant_units (2).
void unit_graph(const Context& context, int64_t rows, int64_t dx, int64_t dy, const double* x,
                const double* y, bool inside, double* weights, int64_t* constant_units);

// Of a matrix (rows x cols), sides of at most kMostAssigned; it comes a second time transposed if
// rows > cols.
template <class T>
void unit_partners(const Context& context, const T* similarity, const T* shorter_first,
                   int64_t rows, int64_t cols, double threshold, const Partners& out);

// Of `count` representations x (rows x cols).
template <class T>
void unit_statistics(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
                     const UnitStatistics<T>& out);

}  // namespace likewise::cuda

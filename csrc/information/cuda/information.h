#pragma once

#include <cstdint>

#include "assignment/cuda/match.h"
#include "core/cuda/context.h"
#include "information/cuda/histograms.h"

namespace likewise::cuda {

// codes (count x cols x rows) of the units of `count` representations (rows x cols), and which have
// a NaN (count x cols). The numbers of constant units are added to constant_units[0], [step], ...
template <class T>
void bin_units(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
               int64_t bins, uint8_t* codes, int64_t* unknown, int64_t* constant_units,
               int64_t step);

// The two halves of it for one representation: edges (cols x bins - 2) of the units, and their
// codes (cols x rows) by edges of any samples, with which of them have a NaN (cols).
template <class T>
void edges_of_units(const Context& context, const T* x, int64_t rows, int64_t cols, int64_t bins,
                    double* edges);
template <class T>
void codes_of_units(const Context& context, const T* x, int64_t rows, int64_t cols,
                    const double* edges, int64_t bins, uint8_t* codes, int64_t* unknown);

// add_joint_counts of one pair of items, and information_of_counts, for any number of pairs of
// units.
void count_pairs(const Context& context, const CodedPairs& codes, int64_t bins, int64_t* counts);
void inform_pairs(const Context& context, const int64_t* counts, int64_t pairs, int64_t bins,
                  bool correct, double* out);

// out (count, dx, dy) as likewise::mutual_information of the units of `count` pairs x (count, rows,
// dx) and y (count, rows, dy), all contiguous; constant_units (count, 2).
template <class T>
void mutual_information(const Context& context, const UnitShapes& shapes, const T* x, const T* y,
                        int64_t bins, bool correct, double* out, int64_t* constant_units);

}  // namespace likewise::cuda

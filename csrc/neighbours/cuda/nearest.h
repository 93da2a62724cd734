#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "neighbours/neighbours.h"

namespace likewise::cuda {

// Items of samples and what centring found (see core/cuda/centred.h), one behind the other.
struct ItemFacts {
  const double* unit;
  const double* spreads;  // items x cols
  const int64_t* constant_units;
  int64_t* status;  // of every item: 0, or kUnusable
  int64_t count, rows, cols;
};

// Makes points of unit norm of rows (items x rows x cols, in place) and the same in T. `moved` of
// every row: how far rounding may have moved its point; 1: it is a sample without direction, and a
// point of zeros. `centred`: they were made by subtracting means.
template <class T>
void take_directions(const ItemFacts& items, bool centred, double* points, double* moved, T* out,
                     cudaStream_t stream);

// half_norms (items x rows): half of the squared norm of every row of data.
template <class T>
void take_half_norms(const ItemFacts& items, const T* data, double* half_norms,
                     cudaStream_t stream);

// The samples of items behind each other. Of two of them the dissimilarity is 1 - cosine, half the
// squared distance of their points, or half the squared distance of the samples.
template <class T>
struct Dissimilarities {
  const double *points, *moved;  // of cosines, as take_directions makes them; else null
  const T* samples;              // of distances, in units of the data
  const double* unit;
  const double* half_norms;  // of distances: of what was multiplied
  const int64_t* status;
  int64_t rows, cols;
};

// Rows [first, first + count) of the inner products of `items` sets of samples.
template <class T>
struct NearestRows {
  Dissimilarities<T> of;
  const T* products;  // items x count x rows
  double* work;       // the same
  int64_t items, first, count, k;
  int32_t* index;      // items x rows x k
  double* similarity;  // the same, or null: 1 - dissimilarity
};

// The k nearest samples of every row, its own left out: ascending by index, k in [1, rows - 1].
// Ties as on the CPU (neighbours/neighbours.h). At most 32768 items.
template <class T>
void find_nearest(const NearestRows<T>& block, cudaStream_t stream);

}  // namespace likewise::cuda

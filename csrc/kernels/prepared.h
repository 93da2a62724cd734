#pragma once

#include <vector>

#include "kernels/kernels.h"

namespace likewise {

// A representation and what is needed of it once. Entries of (x - mean) * scale are within [-2, 2]:
// everything is computed on these, so that no scale of the data overflows or underflows.
template <class T>
struct KernelItem {
  MatrixRef<const T> x;
  const T* mean = nullptr;        // 2 x cols: the mean of each column and what its rounding left
  const double* norms = nullptr;  // rows: squared norms of the scaled and centred samples
  double scale = 1;               // a power of two
  double sigma = 0;               // rbf: bandwidth of the scaled samples
};

// Items and the memory that they point into.
template <class T>
struct PreparedItems {
  std::vector<KernelItem<T>> items;
  std::vector<T> means;
  std::vector<double> norms;
};

// What is counted in the items of pair p.
inline void set_counts(const Counts& counts, int64_t p, const int64_t (&constant_units)[2],
                       const int64_t (&status)[2]) {
  for (int64_t side = 0; side < 2; ++side) {
    const int64_t item = side * (counts.items / 2) + p;
    counts(kConstantUnits, item) = constant_units[side];
    counts(kKernelStatus, item) = status[side];
  }
}

// constant_units: of every item; -1 also where differences of its samples are not finite.
template <class T>
PreparedItems<T> prepare_items(const std::vector<MatrixRef<const T>>& x,
                               const KernelOptions& options, int threads, int64_t* constant_units);

}  // namespace likewise

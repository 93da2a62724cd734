#pragma once

#include <vector>

#include "core/rows.h"
#include "kernels/cpu/row_kernels.h"
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

// Rows [row, row + count) and columns [col, col + width) of (x - mean) * scale, into `out`.
template <class T>
void centred_rows(const KernelItem<T>& item, int64_t row, int64_t count, int64_t col, int64_t width,
                  T* out, int64_t out_ld, std::vector<T>& buffer) {
  const Rows<T> rows = contiguous_rows(item.x, row, count, col, width, buffer);
  const T* mean = item.mean + col;
  row_kernels<T>().centre(rows.data, rows.ld, count, width, mean, mean + item.x.cols, T(item.scale),
                          out, out_ld);
}

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

// Median of the distances |x_p - x_q|, p < q, of the scaled and centred samples; the mean of the
// two middle ones if their number is even. Distances are computed in T, the selection is exact.
template <class T>
double median_distance(const KernelItem<T>& item, int threads);

}  // namespace likewise

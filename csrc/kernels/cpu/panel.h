#pragma once

#include <algorithm>
#include <vector>

#include "core/view.h"
#include "kernels/cpu/row_kernels.h"
#include "kernels/kernels.h"

// Blocks of rows of a representation of any layout: as they are, or centred and scaled.

namespace likewise {

template <class T>
struct Rows {
  const T* data;
  int64_t ld;
};

// Rows [row, row + count) and columns [col, col + width) of x with contiguous rows: in place where
// x has them, else copied to `buffer`.
template <class T>
Rows<T> contiguous_rows(const MatrixRef<const T>& x, int64_t row, int64_t count, int64_t col,
                        int64_t width, std::vector<T>& buffer) {
  const T* first = &x(row, col);
  if (x.rows_contiguous()) return {first, x.row_stride};
  buffer.resize(size_t(count * width));
  if (std::abs(x.row_stride) < std::abs(x.col_stride)) {
    for (int64_t j = 0; j < width; ++j) {
      const T* column = first + j * x.col_stride;
      for (int64_t i = 0; i < count; ++i) buffer[i * width + j] = column[i * x.row_stride];
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const T* from = first + i * x.row_stride;
      for (int64_t j = 0; j < width; ++j) buffer[i * width + j] = from[j * x.col_stride];
    }
  }
  return {buffer.data(), width};
}

// The same block of (x - mean) * scale, into `out`.
template <class T>
void centred_rows(const KernelItem<T>& item, int64_t row, int64_t count, int64_t col, int64_t width,
                  T* out, int64_t out_ld, std::vector<T>& buffer) {
  const Rows<T> rows = contiguous_rows(item.x, row, count, col, width, buffer);
  const T* mean = item.mean + col;
  row_kernels<T>().centre(rows.data, rows.ld, count, width, mean, mean + item.x.cols,
                          T(item.scale), out, out_ld);
}

}  // namespace likewise

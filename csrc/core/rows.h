#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/view.h"

// Blocks of rows of a matrix of any layout.

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

}  // namespace likewise

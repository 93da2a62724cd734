#pragma once

#include <vector>

#include "core/rows.h"
#include "kernels/cpu/row_kernels.h"
#include "kernels/prepared.h"

// Blocks of rows of a representation, centred and scaled.

namespace likewise {

// Rows [row, row + count) and columns [col, col + width) of (x - mean) * scale, into `out`.
template <class T>
void centred_rows(const KernelItem<T>& item, int64_t row, int64_t count, int64_t col, int64_t width,
                  T* out, int64_t out_ld, std::vector<T>& buffer) {
  const Rows<T> rows = contiguous_rows(item.x, row, count, col, width, buffer);
  const T* mean = item.mean + col;
  row_kernels<T>().centre(rows.data, rows.ld, count, width, mean, mean + item.x.cols, T(item.scale),
                          out, out_ld);
}

}  // namespace likewise

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "core/view.h"

namespace likewise {

// out (rows x cols, row-major and contiguous) = in, of any layout: tile by tile, so that rows as
// well as columns of `in` are read along cache lines.
template <class T, class Out>
void copy_matrix(const MatrixRef<const T>& in, Out* out) {
  constexpr int64_t kTile = 32;
  for (int64_t i0 = 0; i0 < in.rows; i0 += kTile) {
    const int64_t i1 = std::min(in.rows, i0 + kTile);
    if (in.rows_contiguous()) {
      for (int64_t i = i0; i < i1; ++i) std::copy_n(&in(i, 0), in.cols, out + i * in.cols);
    } else {
      for (int64_t j0 = 0; j0 < in.cols; j0 += kTile) {
        const int64_t j1 = std::min(in.cols, j0 + kTile);
        for (int64_t i = i0; i < i1; ++i) {
          for (int64_t j = j0; j < j1; ++j) out[i * in.cols + j] = in(i, j);
        }
      }
    }
    poll_interrupt();
  }
}

template <class T>
std::vector<double> copy_in_double(const MatrixRef<const T>& in) {
  std::vector<double> out(size_t(in.rows * in.cols));
  copy_matrix(in, out.data());
  return out;
}

}  // namespace likewise

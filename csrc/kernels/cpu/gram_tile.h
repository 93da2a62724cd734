#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"

// Gram matrices of centred representations, one tile of the lower triangle at a time.

namespace likewise {

// Rows [row, row + rows) and columns [col, col + cols) of an n x n matrix; row >= col.
struct Tile {
  int64_t row, rows, col, cols;

  bool diagonal() const { return row == col; }
  // Entries strictly below the diagonal of the matrix.
  int64_t size() const { return diagonal() ? rows * (rows - 1) / 2 : rows * cols; }
};

// Tiles of about side x side that cover the lower triangle: first those on the diagonal, then the
// others, such that neighbours share rows or columns.
std::vector<Tile> lower_triangle_tiles(int64_t n, int64_t side);

template <class T>
struct GramWorkspace {
  std::vector<T> left, right, gathered, tile;
};

// products[i * tile.cols + j] = inner product of the centred and scaled samples tile.row + i and
// tile.col + j; of a diagonal tile only entries j <= i are written.
template <class T>
void gram_tile(const KernelItem<T>& item, const Tile& tile, T* products, GramWorkspace<T>& w);

}  // namespace likewise

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/aligned_buffer.h"
#include "kernels/prepared.h"

// Gram matrices of centred representations, one tile of the lower triangle at a time.

namespace likewise {

// Rows [row, row + rows) and columns [col, col + cols) of an n x n matrix; row >= col.
struct Tile {
  int64_t row, rows, col, cols;

  bool diagonal() const { return row == col; }
  // Entries strictly below the diagonal of the matrix.
  int64_t size() const { return diagonal() ? rows * (rows - 1) / 2 : rows * cols; }
};

// Tiles of side x side (smaller at the lower edge) that cover the lower triangle: first those on
// the diagonal, then the others, such that neighbours share rows or columns.
std::vector<Tile> lower_triangle_tiles(int64_t n, int64_t side);

template <class T>
struct GramJob {
  const KernelItem<T>* item;
  Tile tile;
  T* products = nullptr;  // where they go (tile.rows x tile.cols); none: a place that is reused
};

template <class T>
struct GramWorkspace {
  AlignedBuffer<T> panels[2], products;
  std::vector<T> gathered;
};

// For every job in turn calls done(job's index, products): products[i * tile.cols + j] = inner
// product of the centred and scaled samples tile.row + i and tile.col + j (on the diagonal j <= i
// only). They are the callee's to overwrite; without a place of the job's own they are gone after
// it.
template <class T>
void gram_tiles(const std::vector<GramJob<T>>& jobs, GramWorkspace<T>& w,
                const std::function<void(size_t job, T* products)>& done);

}  // namespace likewise

#include "kernels/cpu/gram_tile.h"

#include <algorithm>

#include "kernels/cpu/panel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

// Features per GEMM: two panels of a 128-row tile stay in a second-level cache of 512 KB.
constexpr int64_t kFeatureBlock = 256;

}  // namespace

std::vector<Tile> lower_triangle_tiles(int64_t n, int64_t side) {
  const int64_t blocks = (n + side - 1) / side;
  const auto begin = [&](int64_t block) { return block * n / blocks; };
  const auto tile = [&](int64_t i, int64_t j) {
    return Tile{begin(i), begin(i + 1) - begin(i), begin(j), begin(j + 1) - begin(j)};
  };
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < blocks; ++i) tiles.push_back(tile(i, i));
  for (int64_t i = 1; i < blocks; ++i) {
    for (int64_t j = 0; j < i; ++j) tiles.push_back(tile(i, i % 2 ? j : i - 1 - j));
  }
  return tiles;
}

template <class T>
void gram_tile(const KernelItem<T>& item, const Tile& tile, T* products, GramWorkspace<T>& w) {
  const int64_t features = item.x.cols;
  const int64_t block = std::min(features, kFeatureBlock);
  w.left.resize(size_t(tile.rows * block));
  if (!tile.diagonal()) w.right.resize(size_t(tile.cols * block));
  for (int64_t col = 0; col < features; col += block) {
    const int64_t width = std::min(block, features - col);
    const T beta = col > 0 ? T(1) : T(0);
    centred_rows(item, tile.row, tile.rows, col, width, w.left.data(), width, w.gathered);
    if (tile.diagonal()) {
      gram<T>(Op::none, tile.rows, width, T(1), w.left.data(), width, beta, products, tile.cols);
    } else {
      centred_rows(item, tile.col, tile.cols, col, width, w.right.data(), width, w.gathered);
      gemm<T>(Op::none, Op::transpose, tile.rows, tile.cols, width, T(1), w.left.data(), width,
              w.right.data(), width, beta, products, tile.cols);
    }
  }
}

template void gram_tile<float>(const KernelItem<float>&, const Tile&, float*,
                               GramWorkspace<float>&);
template void gram_tile<double>(const KernelItem<double>&, const Tile&, double*,
                                GramWorkspace<double>&);

}  // namespace likewise

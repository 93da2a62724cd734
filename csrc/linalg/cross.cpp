#include "linalg/cross.h"

#include <algorithm>
#include <type_traits>

#include "core/error.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kTileWidth = 256;      // columns merged into one GEMM; wider ones gain nothing
constexpr int64_t kRowsPerBlock = 1024;  // bounds the packed panels to 4 MB of doubles
constexpr int64_t kRowsPerFloatBlock = 256;
constexpr int64_t kTilesPerThread = 8;  // fewer, larger tiles would leave threads idle at the end

// Consecutive items [begin, end) whose columns stand side by side in one panel.
struct Group {
  int64_t begin, end, width;
};

constexpr int64_t kAlone = -1;  // tile width that merges no items, not even those of no columns

template <class T>
std::vector<Group> group_items(const std::vector<Item<T>>& items, int64_t tile_width) {
  std::vector<Group> groups;
  for (int64_t i = 0; i < int64_t(items.size()); ++i) {
    const int64_t cols = items[i].cols;
    if (groups.empty() || groups.back().width + cols > tile_width) groups.push_back({i, i, 0});
    groups.back().end = i + 1;
    groups.back().width += cols;
  }
  return groups;
}

template <class T>
struct Panel {
  const T* data;
  int64_t ld;
};

// Rows [row, row + count) of the group's items side by side; a single item with data is used in
// place.
template <class T>
Panel<T> panel_of(const std::vector<Item<T>>& items, const Group& group, int64_t row, int64_t count,
                  std::vector<T>& buffer) {
  if (group.end - group.begin == 1 && !items[group.begin].read) {
    const Item<T>& item = items[group.begin];
    return {item.data + row * item.row_stride(), item.row_stride()};
  }
  buffer.resize(size_t(count * group.width));
  T* out = buffer.data();
  for (int64_t i = group.begin; i < group.end; ++i) {
    const Item<T>& item = items[i];
    if (item.read) {
      item.read(row, count, out, group.width);
    } else {
      for (int64_t r = 0; r < count; ++r) {
        std::copy_n(item.data + (row + r) * item.row_stride(), item.cols, out + r * group.width);
      }
    }
    out += item.cols;
  }
  return {buffer.data(), group.width};
}

template <class T>
void multiply(const std::vector<Item<T>>& a, const std::vector<Item<T>>& b, int64_t rows,
              const Group& ga, const Group& gb, ProductWorkspace<T>& w) {
  constexpr bool widen = !std::is_same_v<T, double>;
  const int64_t step = widen ? kRowsPerFloatBlock : kRowsPerBlock;
  const bool same = &a == &b && ga.begin == gb.begin;
  w.product.resize(size_t(ga.width * gb.width));
  if constexpr (widen) w.block.resize(w.product.size());
  for (int64_t row = 0; row < rows; row += step) {
    const int64_t count = std::min(step, rows - row);
    poll_interrupt();
    const Panel<T> left = panel_of(a, ga, row, count, w.left);
    const Panel<T> right = same ? left : panel_of(b, gb, row, count, w.right);
    T* out = nullptr;
    T beta = 0;
    if constexpr (widen) {
      out = w.block.data();
    } else {
      out = w.product.data();
      beta = row > 0;
    }
    if (same) {
      gram<T>(Op::transpose, ga.width, count, T(1), left.data, left.ld, beta, out, ga.width);
    } else {
      gemm<T>(Op::transpose, Op::none, ga.width, gb.width, count, T(1), left.data, left.ld,
              right.data, right.ld, beta, out, gb.width);
    }
    if constexpr (widen) {
      if (row == 0) std::fill(w.product.begin(), w.product.end(), 0.0);
      for (size_t k = 0; k < w.product.size(); ++k) w.product[k] += double(w.block[k]);
    }
  }
  if (same) symmetrize(ga.width, w.product.data(), ga.width);  // gram() leaves the upper triangle
}

bool is_symmetric(Pairing pairing) {
  return pairing == Pairing::symmetric || pairing == Pairing::symmetric_with_self;
}

template <class T>
int64_t tile_width_for(const std::vector<Item<T>>& a, const std::vector<Item<T>>& b,
                       Pairing pairing, int threads) {
  if (pairing == Pairing::paired) return kAlone;
  int64_t width_a = 0, width_b = 0;
  for (const auto& item : a) width_a += item.cols;
  for (const auto& item : b) width_b += item.cols;
  int64_t width = kTileWidth;
  while (width > 64 && threads > 1) {
    int64_t tiles = ((width_a + width - 1) / width) * ((width_b + width - 1) / width);
    if (is_symmetric(pairing)) tiles /= 2;
    if (tiles >= kTilesPerThread * threads) break;
    width /= 2;
  }
  return width;
}

}  // namespace

template <class T>
void for_each_product(const std::vector<Item<T>>& a, const std::vector<Item<T>>& b_given,
                      int64_t rows, Pairing pairing, int threads, const ProductVisitor& visit) {
  const std::vector<Item<T>>& b = is_symmetric(pairing) ? a : b_given;
  if (pairing == Pairing::paired && a.size() != b.size()) {
    throw InternalError("paired lists of different length");
  }
  const int64_t tile_width = tile_width_for(a, b, pairing, threads);
  const std::vector<Group> groups_a = group_items(a, tile_width);
  const std::vector<Group> groups_b = group_items(b, tile_width);

  struct Tile {
    int64_t a, b;
  };
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < int64_t(groups_a.size()); ++i) {
    if (pairing == Pairing::paired) {
      tiles.push_back({i, i});
      continue;
    }
    for (int64_t j = is_symmetric(pairing) ? i : 0; j < int64_t(groups_b.size()); ++j) {
      tiles.push_back({i, j});
    }
  }

  const auto wanted = [&](int64_t i, int64_t j) {
    return !is_symmetric(pairing) || i < j || (i == j && pairing == Pairing::symmetric_with_self);
  };
  std::vector<ProductWorkspace<T>> workspaces(std::max(threads, 1));
  parallel_for(int64_t(tiles.size()), threads, [&](int64_t t, int worker) {
    const Group& ga = groups_a[tiles[t].a];
    const Group& gb = groups_b[tiles[t].b];
    // A single item has no pair with itself here.
    if (pairing == Pairing::symmetric && ga.begin == gb.begin && ga.end - ga.begin == 1) return;
    ProductWorkspace<T>& w = workspaces[worker];
    multiply(a, b, rows, ga, gb, w);
    int64_t row = 0;
    for (int64_t i = ga.begin; i < ga.end; ++i) {
      int64_t col = 0;
      for (int64_t j = gb.begin; j < gb.end; ++j) {
        if (wanted(i, j)) {
          const int64_t first = a[i].cols > 0 ? row * gb.width + col : 0;  // of what may be empty
          visit(i, j, w.product.data() + first, gb.width, worker);
        }
        col += b[j].cols;
      }
      row += a[i].cols;
    }
  });
}

template <class T>
double* product(const Item<T>& a, const Item<T>& b, int64_t rows, ProductWorkspace<T>& workspace) {
  const std::vector<Item<T>> list_a{a}, list_b{b};
  multiply(list_a, list_b, rows, {0, 1, a.cols}, {0, 1, b.cols}, workspace);
  return workspace.product.data();
}

#define LIKEWISE_INSTANTIATE(T)                                                               \
  template void for_each_product<T>(const std::vector<Item<T>>&, const std::vector<Item<T>>&, \
                                    int64_t, Pairing, int, const ProductVisitor&);            \
  template double* product<T>(const Item<T>&, const Item<T>&, int64_t, ProductWorkspace<T>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

#include "kernels/cpu/panel_product.h"

#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

// Twelve sums, three or more vectors of b and one entry of a in all lanes: sixteen registers.
template <class T>
struct Shape {
  static constexpr int lanes = Simd<T>::lanes;
  static constexpr int vectors = lanes == 2 ? 6 : 3;
  static constexpr int rows = 12 / vectors;
  static constexpr int panel = vectors * lanes;
  static_assert(panel % rows == 0);
};

template <int H, class S>
inline void transpose(typename S::Vec* v) {
  for (int i = 0; i < S::lanes; ++i) {
    if (!(i & H)) exchange<H, S>(v[i], v[i + H]);
  }
  if constexpr (H > 1) transpose<H / 2, S>(v);
}

template <class T>
void pack(const T* x, int64_t ld, int64_t rows, int64_t width, const T* mean, const T* rest,
          T scale, T* out) {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  constexpr int n = S::lanes, panel = Shape<T>::panel;
  for (int group = 0; group < panel; group += n) {
    const T* from = x + group * ld;
    const int64_t present = rows - group;
    int64_t k = 0;
    for (; present >= n && k + n <= width; k += n) {
      const Vec m = S::load(mean + k), r = S::load(rest + k);
      Vec v[n];
      for (int i = 0; i < n; ++i) v[i] = ((S::load(from + i * ld + k) - m) - r) * scale;
      transpose<n / 2, S>(v);
      for (int i = 0; i < n; ++i) S::store(out + (k + i) * panel + group, v[i]);
    }
    for (; k < width; ++k) {
      for (int i = 0; i < n; ++i) {
        out[k * panel + group + i] =
            i < present ? ((from[i * ld + k] - mean[k]) - rest[k]) * scale : T(0);
      }
    }
  }
}

// Walks over the cache lines of rows that will be read soon and asks for some of them at a time.
template <class T>
class Fetcher {
 public:
  Fetcher(const RowsAhead<T>& ahead, int64_t turns) : row_(ahead.first), ahead_(ahead) {
    const int64_t lines_per_row = (ahead.width + kPerLine - 1) / kPerLine;
    per_turn_ = (ahead.rows * lines_per_row + turns - 1) / turns;
    rows_left_ = ahead.rows;
  }

  inline void turn() {
    for (int64_t count = 0; count < per_turn_ && rows_left_ > 0; ++count) {
      __builtin_prefetch(row_ + col_);
      col_ += kPerLine;
      if (col_ >= ahead_.width) {
        col_ = 0;
        row_ += ahead_.ld;
        --rows_left_;
      }
    }
  }

 private:
  static constexpr int64_t kPerLine = 64 / int64_t(sizeof(T));
  const T* row_;
  const RowsAhead<T>& ahead_;
  int64_t col_ = 0, rows_left_, per_turn_;
};

template <class T>
void multiply(const T* a, int64_t first, int64_t rows, const T* b, int64_t cols, int64_t width,
              bool accumulate, T* c, int64_t ldc, const RowsAhead<T>& ahead) {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  constexpr int n = S::lanes, panel = Shape<T>::panel;
  constexpr int tile_rows = Shape<T>::rows, vectors = Shape<T>::vectors;
  first -= first % panel;
  Fetcher<T> fetcher(ahead, (rows - first + tile_rows - 1) / tile_rows);
  for (int64_t i = first; i < rows; i += tile_rows) {
    fetcher.turn();
    const T* p = a + (i / panel) * panel * width + i % panel;
    const T* q = b;
    Vec sum[tile_rows][vectors];
    for (int r = 0; r < tile_rows; ++r) {
      for (int v = 0; v < vectors; ++v) sum[r][v] = Vec{};
    }
    for (int64_t k = 0; k < width; ++k, p += panel, q += panel) {
      Vec column[vectors];
      for (int v = 0; v < vectors; ++v) column[v] = S::load(q + v * n);
      for (int r = 0; r < tile_rows; ++r) {
        const Vec row = p[r] - Vec{};  // p[r] in all lanes
        for (int v = 0; v < vectors; ++v) sum[r][v] += column[v] * row;
      }
    }
    T edge[tile_rows * panel];
    const bool whole = cols == panel && i + tile_rows <= rows;
    T* to = whole ? c + i * ldc : edge;
    const int64_t to_ld = whole ? ldc : panel;
    for (int r = 0; r < tile_rows; ++r) {
      for (int v = 0; v < vectors; ++v) {
        T* at = to + r * to_ld + v * n;
        S::store(at, whole && accumulate ? S::load(at) + sum[r][v] : sum[r][v]);
      }
    }
    for (int64_t r = 0; !whole && r < tile_rows && i + r < rows; ++r) {
      for (int64_t j = 0; j < cols; ++j) {
        T& at = c[(i + r) * ldc + j];
        at = (accumulate ? at : T(0)) + edge[r * panel + j];
      }
    }
  }
}

template <class T>
constexpr PanelProduct<T> table() {
  return {Shape<T>::panel, &pack<T>, &multiply<T>};
}

}  // namespace

const OfBoth<PanelProduct> panel_product_table = {table<float>(), table<double>()};

}  // namespace likewise::LIKEWISE_ISA

#include "kernels/gram_tile.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/cpu/panel_product.h"
#include "kernels/prepared.h"

namespace likewise {
namespace {

// Bytes of each row that are packed at a time: the panels of two steps stay in a second-level cache
// of 512 KB.
constexpr int64_t kStepBytes = 768;

// One slice of features of one job; the panels of its rows, then (off the diagonal) of its columns.
template <class T>
struct Step {
  size_t job = 0;
  int64_t col = 0, width = 0;
};

template <class T>
class Pipeline {
 public:
  Pipeline(const std::vector<GramJob<T>>& jobs, GramWorkspace<T>& w,
           const std::function<void(size_t, T*)>& done)
      : jobs_(jobs), w_(w), done_(done) {}

  void run() {
    if (jobs_.empty()) return;
    Step<T> step = first_of(0);
    reserve(step, 0);
    pack(step, 0, panels_of(step), 0);
    for (int buffer = 0; step.job < jobs_.size(); buffer = 1 - buffer) {
      const Step<T> next = after(step);
      multiply(step, next, buffer);
      if (next.job != step.job) done_(step.job, products_of(step));
      step = next;
    }
  }

 private:
  static constexpr int64_t kStep = kStepBytes / int64_t(sizeof(T));

  int64_t features(size_t job) const { return jobs_[job].item->x.cols; }

  Step<T> first_of(size_t job) const {
    return {job, 0, job < jobs_.size() ? std::min(kStep, features(job)) : 0};
  }

  Step<T> after(const Step<T>& step) const {
    const int64_t col = step.col + step.width;
    if (col == features(step.job)) return first_of(step.job + 1);
    return {step.job, col, std::min(kStep, features(step.job) - col)};
  }

  int64_t panels_for(int64_t rows) const {
    return (rows + product_.panel_rows - 1) / product_.panel_rows;
  }

  int64_t panels_of(const Step<T>& step) const {
    if (step.job == jobs_.size()) return 0;
    const Tile& tile = jobs_[step.job].tile;
    return panels_for(tile.rows) + (tile.diagonal() ? 0 : panels_for(tile.cols));
  }

  void reserve(const Step<T>& step, int buffer) {
    w_.panels[buffer].require(panels_of(step) * panel_size(step));
  }

  T* products_of(const Step<T>& step) {
    const GramJob<T>& job = jobs_[step.job];
    if (job.products) return job.products;
    w_.products.require(job.tile.rows * job.tile.cols);
    return w_.products.data();
  }

  // The rows of one panel: [row, row + rows).
  struct Span {
    int64_t row, rows;
  };
  Span span_of(const Step<T>& step, int64_t panel) const {
    const Tile& tile = jobs_[step.job].tile;
    const int64_t of_rows = panels_for(tile.rows);
    const bool columns = panel >= of_rows;
    const int64_t skipped = (columns ? panel - of_rows : panel) * product_.panel_rows;
    const int64_t left = (columns ? tile.cols : tile.rows) - skipped;
    return {(columns ? tile.col : tile.row) + skipped, std::min(product_.panel_rows, left)};
  }

  void pack(const Step<T>& step, int64_t first, int64_t last, int buffer) {
    for (int64_t panel = first; panel < last; ++panel) {
      const KernelItem<T>& item = *jobs_[step.job].item;
      const Span span = span_of(step, panel);
      const Rows<T> rows =
          contiguous_rows(item.x, span.row, span.rows, step.col, step.width, w_.gathered);
      const T* mean = item.mean + step.col;
      product_.pack(rows.data, rows.ld, span.rows, step.width, mean, mean + item.x.cols,
                    T(item.scale), w_.panels[buffer].data() + panel * panel_size(step));
    }
  }

  int64_t panel_size(const Step<T>& step) const { return product_.panel_rows * step.width; }

  // What pack() will read for that panel.
  RowsAhead<T> ahead(const Step<T>& step, int64_t panel) const {
    const MatrixRef<const T>& x = jobs_[step.job].item->x;
    if (!x.rows_contiguous()) return {};
    const Span span = span_of(step, panel);
    return {&x(span.row, step.col), x.row_stride, span.rows, step.width};
  }

  // Multiplies the panels of `step`, a column of the tile at a time, and packs those of `next`
  // between the columns.
  void multiply(const Step<T>& step, const Step<T>& next, int buffer) {
    const Tile& tile = jobs_[step.job].tile;
    const T* left = w_.panels[buffer].data();
    const T* right = left + (tile.diagonal() ? 0 : panels_for(tile.rows) * panel_size(step));
    const int64_t columns = panels_for(tile.cols), to_pack = panels_of(next);
    T* products = products_of(step);
    reserve(next, 1 - buffer);
    int64_t packed = 0;
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t pack_end = to_pack * (column + 1) / columns;
      const int64_t j = column * product_.panel_rows;
      product_.multiply(left, tile.diagonal() ? j : 0, tile.rows, right + column * panel_size(step),
                        std::min(product_.panel_rows, tile.cols - j), step.width, step.col > 0,
                        products + j, tile.cols,
                        packed < pack_end ? ahead(next, packed) : RowsAhead<T>{});
      pack(next, packed, pack_end, 1 - buffer);
      packed = pack_end;
    }
  }

  const std::vector<GramJob<T>>& jobs_;
  GramWorkspace<T>& w_;
  const std::function<void(size_t, T*)>& done_;
  const PanelProduct<T>& product_ = panel_product<T>();
};

}  // namespace

std::vector<Tile> lower_triangle_tiles(int64_t n, int64_t side) {
  const int64_t blocks = (n + side - 1) / side;
  const auto tile = [&](int64_t i, int64_t j) {
    const int64_t row = i * side, col = j * side;
    return Tile{row, std::min(side, n - row), col, std::min(side, n - col)};
  };
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < blocks; ++i) tiles.push_back(tile(i, i));
  for (int64_t i = 1; i < blocks; ++i) {
    for (int64_t j = 0; j < i; ++j) tiles.push_back(tile(i, i % 2 ? j : i - 1 - j));
  }
  return tiles;
}

template <class T>
void gram_tiles(const std::vector<GramJob<T>>& jobs, GramWorkspace<T>& w,
                const std::function<void(size_t, T*)>& done) {
  Pipeline<T>(jobs, w, done).run();
}

template void gram_tiles<float>(const std::vector<GramJob<float>>&, GramWorkspace<float>&,
                                const std::function<void(size_t, float*)>&);
template void gram_tiles<double>(const std::vector<GramJob<double>>&, GramWorkspace<double>&,
                                 const std::function<void(size_t, double*)>&);

}  // namespace likewise

#include "kernels/cpu/gram_stream.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/parallel.h"
#include "kernels/cpu/gram_tile.h"
#include "kernels/cpu/kernel_functions.h"
#include "kernels/cpu/row_kernels.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

// A peer that keeps every kernel matrix holds two stacks of them (one per side); the slab takes one
// twenty-fifth of that, but neither less than it needs to be of use nor more than caches hold.
constexpr double kSlabFraction = 0.04;
constexpr double kSmallestSlab = 2 << 20, kLargestSlab = 12 << 20;
constexpr int64_t kLargestSide = 128, kSmallestSide = 32;

constexpr int64_t kChunk = 4096;    // slab columns per product: operands stay in cache,
                                    // and sums of floats stay short
constexpr int64_t kRowBlock = 128;  // items per product
constexpr int64_t kDotPairs = 16;   // fewer pairs than this: no GEMM

struct Plan {
  std::vector<Tile> tiles;
  std::vector<int64_t> offsets;     // of a tile in the slab
  std::vector<int64_t> slab_begin;  // first tile of every slab, and the number of tiles
  int64_t capacity = 0;             // entries per item
};

Plan make_plan(int64_t items, int64_t n, int64_t item_size) {
  const double stacks = 2.0 * double(items) * double(n) * double(n) * double(item_size);
  const double bytes = std::clamp(kSlabFraction * stacks, kSmallestSlab, kLargestSlab);
  const auto room = int64_t(bytes / double(items * item_size));
  int64_t side = kLargestSide;
  while (side > kSmallestSide && side * side > room) side -= 16;

  Plan plan;
  plan.tiles = lower_triangle_tiles(n, side);
  plan.capacity = std::max(room, side * side);
  int64_t used = plan.capacity;
  for (size_t t = 0; t < plan.tiles.size(); ++t) {
    if (used + plan.tiles[t].size() > plan.capacity) {
      plan.slab_begin.push_back(int64_t(t));
      used = 0;
    }
    plan.offsets.push_back(used);
    used += plan.tiles[t].size();
  }
  plan.slab_begin.push_back(int64_t(plan.tiles.size()));
  plan.capacity = std::min(plan.capacity, n * (n - 1) / 2);
  return plan;
}

template <class T>
class Stream {
 public:
  Stream(const std::vector<StreamItem<T>>& a, const std::vector<StreamItem<T>>& b, bool symmetric,
         const KernelOptions& options, int threads)
      : options_(options),
        threads_(threads),
        symmetric_(symmetric),
        count_a_(int64_t(a.size())),
        count_b_(symmetric ? count_a_ : int64_t(b.size())),
        items_(a),
        workers_(std::max(threads, 1)) {
    if (!symmetric) items_.insert(items_.end(), b.begin(), b.end());
    n_ = items_[0].item->x.rows;
    plan_ = make_plan(int64_t(items_.size()), n_, sizeof(T));
    // The widest items first: the threads finish together.
    order_.resize(items_.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t i, int64_t j) {
      return items_[i].item->x.cols > items_[j].item->x.cols;
    });
  }

  KernelSums run() {
    sums_.count_a = count_a_;
    sums_.count_b = count_b_;
    sums_.products.assign(size_t(count_a_ * count_b_), 0.0);
    sums_.self.assign(items_.size(), 0.0);
    if (!linear()) sums_.row_sums.assign(items_.size() * size_t(n_), 0.0);
    slab_ = std::make_unique_for_overwrite<T[]>(items_.size() * size_t(plan_.capacity));
    for (size_t s = 0; s + 1 < plan_.slab_begin.size(); ++s) {
      const int64_t first = plan_.slab_begin[s], last = plan_.slab_begin[s + 1];
      fill(first, last);
      multiply(plan_.offsets[last - 1] + plan_.tiles[last - 1].size());
    }
    if (symmetric_) {
      for (int64_t k = 0; k < count_a_; ++k) sums_.self[k] = sums_.products[k * count_a_ + k];
    }
    return std::move(sums_);
  }

 private:
  struct Worker {
    GramWorkspace<T> gram;
    std::vector<T> norms, column_sums;
  };

  bool linear() const { return options_.function == KernelFunction::linear; }
  T* slab_row(int64_t item) { return slab_.get() + item * plan_.capacity; }

  void fill(int64_t first, int64_t last) {
    const int64_t count = int64_t(items_.size());
    if (!linear()) edge_sums_.assign(size_t((last - first) * count * 2 * kLargestSide), 0.0);
    parallel_for((last - first) * count, threads_, [&](int64_t task, int worker) {
      const int64_t t = first + task % (last - first), k = order_[task / (last - first)];
      const Tile& tile = plan_.tiles[t];
      T* values = slab_row(k) + plan_.offsets[t];
      Worker& w = workers_[worker];
      T* products = values;
      if (tile.diagonal()) {
        w.gram.tile.resize(size_t(tile.rows * tile.cols));
        products = w.gram.tile.data();
      }
      gram_tile(*items_[k].item, tile, products, w.gram);
      if (linear()) {
        if (tile.diagonal()) pack_lower(tile, products, values);
      } else {
        double* edges = edge_sums_.data() + ((t - first) * count + k) * 2 * kLargestSide;
        apply_kernel(items_[k], tile, products, values, edges, w);
      }
    });
    if (!linear()) add_edge_sums(first, last);
  }

  static void pack_lower(const Tile& tile, const T* products, T* values) {
    for (int64_t i = 1; i < tile.rows; ++i) {
      values = std::copy_n(products + i * tile.cols, i, values);
    }
  }

  // Kernel values of a tile into the slab, their sums over rows and columns into `edges`.
  void apply_kernel(const StreamItem<T>& item, const Tile& tile, const T* products, T* values,
                    double* edges, Worker& w) const {
    const KernelFunctions<T>& functions = kernel_functions<T>();
    const double* norms = item.item->norms;
    w.norms.assign(norms + tile.col, norms + tile.col + tile.cols);
    w.column_sums.assign(size_t(tile.cols), T(0));
    const RbfParameters<T> rbf{T(item.gamma), T(item.shift)};
    const PolynomialParameters<T> polynomial{T(item.gamma), T(options_.coef0), options_.degree,
                                             T(item.shift)};
    for (int64_t i = 0; i < tile.rows; ++i) {
      const T* row = products + i * tile.cols;
      const int64_t count = tile.diagonal() ? i : tile.cols;
      edges[i] = options_.function == KernelFunction::rbf
                     ? functions.rbf(row, count, T(norms[tile.row + i]), w.norms.data(), rbf,
                                     values, w.column_sums.data())
                     : functions.polynomial(row, count, polynomial, values, w.column_sums.data());
      values += count;
    }
    std::copy_n(w.column_sums.data(), tile.cols, edges + kLargestSide);
  }

  void add_edge_sums(int64_t first, int64_t last) {
    const int64_t count = int64_t(items_.size());
    for (int64_t t = first; t < last; ++t) {
      const Tile& tile = plan_.tiles[t];
      for (int64_t k = 0; k < count; ++k) {
        const double* edges = edge_sums_.data() + ((t - first) * count + k) * 2 * kLargestSide;
        double* row_sums = sums_.row_sums.data() + k * n_;
        for (int64_t i = 0; i < tile.rows; ++i) row_sums[tile.row + i] += edges[i];
        for (int64_t j = 0; j < tile.cols; ++j) row_sums[tile.col + j] += edges[kLargestSide + j];
      }
    }
  }

  // Adds the products of all pairs over the slab's first `length` columns. Chunks of columns run
  // in parallel while their results are small, blocks of rows beside that.
  void multiply(int64_t length) {
    const int64_t chunks = (length + kChunk - 1) / kChunk;
    if (count_a_ * count_b_ < kDotPairs) return multiply_few(length);
    const int64_t blocks = (count_a_ + kRowBlock - 1) / kRowBlock;
    const int64_t together = blocks <= 2 ? chunks : 1;
    partial_.resize(size_t(together * count_a_ * count_b_));
    for (int64_t begin = 0; begin < chunks; begin += together) {
      parallel_for(together * blocks, threads_, [&](int64_t task, int) {
        const int64_t col = (begin + task / blocks) * kChunk;
        T* partial = partial_.data() + (task / blocks) * count_a_ * count_b_;
        multiply_block((task % blocks) * kRowBlock, col, std::min(kChunk, length - col), partial);
      });
      for (int64_t c = 0; c < together; ++c) {
        const T* partial = partial_.data() + c * count_a_ * count_b_;
        for (int64_t i = 0; i < count_a_; ++i) {
          const int64_t width = symmetric_ ? i + 1 : count_b_;
          double* row = sums_.products.data() + i * count_b_;
          for (int64_t j = 0; j < width; ++j) row[j] += 2.0 * double(partial[i * count_b_ + j]);
        }
      }
    }
    if (!symmetric_) add_self_products(length);
  }

  void multiply_block(int64_t row, int64_t col, int64_t width, T* partial) {
    const int64_t rows = std::min(kRowBlock, count_a_ - row), ld = plan_.capacity;
    const T* left = slab_row(row) + col;
    const T* right = slab_row(symmetric_ ? 0 : count_a_) + col;
    T* out = partial + row * count_b_;
    gemm<T>(Op::none, Op::transpose, rows, symmetric_ ? row : count_b_, width, T(1), left, ld,
            right, ld, T(0), out, count_b_);
    if (symmetric_) gram<T>(Op::none, rows, width, T(1), left, ld, T(0), out + row, count_b_);
  }

  void multiply_few(int64_t length) {
    const int64_t pairs = count_a_ * count_b_;
    parallel_for(pairs, threads_, [&](int64_t pair, int) {
      const int64_t i = pair / count_b_, j = pair % count_b_;
      if (symmetric_ && j > i) return;
      const T* right = slab_row(symmetric_ ? j : count_a_ + j);
      sums_.products[pair] += 2 * row_kernels<T>().dot(slab_row(i), right, length);
    });
    if (!symmetric_) add_self_products(length);
  }

  void add_self_products(int64_t length) {
    parallel_for(int64_t(items_.size()), threads_, [&](int64_t k, int) {
      sums_.self[k] += 2 * row_kernels<T>().dot(slab_row(k), slab_row(k), length);
    });
  }

  const KernelOptions& options_;
  const int threads_;
  const bool symmetric_;
  const int64_t count_a_, count_b_;
  std::vector<StreamItem<T>> items_;
  std::vector<Worker> workers_;
  std::vector<int64_t> order_;
  int64_t n_ = 0;
  Plan plan_;
  std::unique_ptr<T[]> slab_;
  std::vector<T> partial_;
  std::vector<double> edge_sums_;
  KernelSums sums_;
};

}  // namespace

template <class T>
KernelSums stream_grams(const std::vector<StreamItem<T>>& a, const std::vector<StreamItem<T>>& b,
                        bool symmetric, const KernelOptions& options, int threads) {
  return Stream<T>(a, b, symmetric, options, threads).run();
}

#define LIKEWISE_INSTANTIATE(T)                                                \
  template KernelSums stream_grams<T>(const std::vector<StreamItem<T>>&,       \
                                      const std::vector<StreamItem<T>>&, bool, \
                                      const KernelOptions&, int);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

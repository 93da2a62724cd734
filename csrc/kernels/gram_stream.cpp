#include "kernels/gram_stream.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/aligned_buffer.h"
#include "core/parallel.h"
#include "kernels/cpu/kernel_functions.h"
#include "kernels/cpu/row_kernels.h"
#include "kernels/distances.h"
#include "kernels/gram_tile.h"

namespace likewise {
namespace {

// A peer that keeps every kernel matrix holds two stacks of them (one per side); the slab takes one
// twenty-fifth of that, but neither less than it needs to be of use nor more than caches hold.
constexpr double kSlabFraction = 0.04;
constexpr double kSmallestSlab = 2 << 20, kLargestSlab = 16 << 20;
constexpr int64_t kLargestSide = 192, kSmallestSide = 24, kSideStep = 24;
constexpr int64_t kLineBytes = 64;  // tiles and rows of the slab start on cache lines

constexpr int64_t kRowBlock = 64;          // rows of the slab per product task
constexpr int64_t kPartialSums = 1 << 18;  // sums that the tasks of one slab may hold
constexpr int64_t kLargestSlices = 8;

int64_t padded(int64_t count, int64_t item_size) {
  const int64_t line = kLineBytes / item_size;
  return (count + line - 1) / line * line;
}

struct Plan {
  std::vector<Tile> tiles;
  std::vector<int64_t> offsets;     // of a tile in the slab
  std::vector<int64_t> slab_begin;  // first tile of every slab, and the number of tiles
  int64_t row_size = 0;             // entries of the slab per item

  int64_t end(int64_t tile, int64_t item_size) const {
    return offsets[tile] + padded(tiles[tile].size(), item_size);
  }
};

Plan make_plan(int64_t items, int64_t n, int64_t item_size) {
  const double stacks = 2.0 * double(items) * double(n) * double(n) * double(item_size);
  const double bytes = std::clamp(kSlabFraction * stacks, kSmallestSlab, kLargestSlab);
  const auto room = int64_t(bytes / double(items * item_size));
  int64_t side = kLargestSide;
  while (side > kSmallestSide && side * side > room) side -= kSideStep;
  const int64_t capacity = std::max(room, side * side);

  Plan plan;
  plan.tiles = lower_triangle_tiles(n, side);
  int64_t used = 0;
  for (size_t t = 0; t < plan.tiles.size(); ++t) {
    const int64_t size = padded(plan.tiles[t].size(), item_size);
    if (t == 0 || used + size > capacity) {
      plan.slab_begin.push_back(int64_t(t));
      used = 0;
    }
    plan.offsets.push_back(used);
    used += size;
    plan.row_size = std::max(plan.row_size, used);
  }
  plan.slab_begin.push_back(int64_t(plan.tiles.size()));
  return plan;
}

template <class T>
class Stream {
 public:
  Stream(const std::vector<StreamItem<T>>& items, int64_t count_a, const KernelOptions& options,
         int threads, const double* offsets)
      : options_(options),
        threads_(threads),
        offsets_(offsets),
        symmetric_(int64_t(items.size()) == count_a),
        count_a_(count_a),
        count_b_(symmetric_ ? count_a : int64_t(items.size()) - count_a),
        items_(items),
        workers_(std::max(threads, 1)) {
    n_ = items_[0].item->x.rows;
    plan_ = make_plan(count(), n_, sizeof(T));
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
    sums_.diagonal.resize(items_.size() * size_t(n_));
    if (!linear()) sums_.row_sums.assign(items_.size() * size_t(n_), 0.0);
    slab_.require(count() * plan_.row_size);
    for (size_t s = 0; s + 1 < plan_.slab_begin.size(); ++s) {
      const int64_t first = plan_.slab_begin[s], last = plan_.slab_begin[s + 1];
      fill(first, last);
      multiply(plan_.end(last - 1, sizeof(T)));
    }
    if (symmetric_) {
      for (int64_t k = 0; k < count_a_; ++k) sums_.self[k] = sums_.products[k * count_a_ + k];
    }
    return std::move(sums_);
  }

 private:
  struct Worker {
    GramWorkspace<T> gram;
    std::vector<GramJob<T>> jobs;
    std::vector<T> norms, zeros, column_sums, gathered;
  };

  int64_t count() const { return int64_t(items_.size()); }
  bool linear() const { return options_.function == KernelFunction::linear; }
  T* slab_row(int64_t item) const { return slab_.data() + item * plan_.row_size; }
  T* slab_at(int64_t item, int64_t tile) const { return slab_row(item) + plan_.offsets[tile]; }

  // Kernel values of the tiles [first, last) of all items. A task takes several, item by item: the
  // rows of a product are fetched behind the arithmetic of the one before.
  void fill(int64_t first, int64_t last) {
    const int64_t tiles = last - first;
    if (!linear()) edge_sums_.assign(size_t(tiles) * items_.size() * 2 * kLargestSide, 0.0);
    const std::vector<int64_t> begin = split_jobs(first, last);
    parallel_for(int64_t(begin.size()) - 1, threads_, [&](int64_t task, int worker) {
      Worker& w = workers_[worker];
      w.jobs.clear();
      for (int64_t job = begin[task]; job < begin[task + 1]; ++job) {
        const int64_t k = order_[job / tiles], t = first + job % tiles;
        const Tile& tile = plan_.tiles[t];
        w.jobs.push_back({items_[k].item, tile, tile.diagonal() ? nullptr : slab_at(k, t)});
      }
      gram_tiles<T>(w.jobs, w.gram, [&](size_t done, T* products) {
        const int64_t job = begin[task] + int64_t(done);
        finish(order_[job / tiles], first, first + job % tiles, products, w);
        poll_interrupt();
      });
    });
    if (!linear()) add_edge_sums(first, last);
  }

  // Bounds of tasks over the jobs (item in order_, tile of the slab), the last one being their
  // number: each takes a share of the work that is left, so that the threads end together.
  std::vector<int64_t> split_jobs(int64_t first, int64_t last) const {
    const int64_t tiles = last - first, jobs = count() * tiles;
    if (threads_ <= 1) return {0, jobs};
    const auto work = [&](int64_t job) {
      const Tile& tile = plan_.tiles[first + job % tiles];
      return double(tile.size()) * double(items_[order_[job / tiles]].item->x.cols);
    };
    double left = 0;
    for (int64_t job = 0; job < jobs; ++job) left += work(job);
    std::vector<int64_t> begin{0};
    double share = left / (3 * threads_), taken = 0;
    for (int64_t job = 0; job < jobs; ++job) {
      taken += work(job);
      if (taken < share && job + 1 < jobs) continue;
      begin.push_back(job + 1);
      left -= taken;
      taken = 0;
      share = left / (3 * threads_);
    }
    return begin;
  }

  // Makes kernel values of a tile's products in the slab, strictly below the diagonal of the matrix
  // (the products of diagonal tiles are elsewhere, those of others are in the slab).
  void finish(int64_t k, int64_t first, int64_t t, T* products, Worker& w) {
    const Tile& tile = plan_.tiles[t];
    T* values = slab_at(k, t);
    T* end = values + padded(tile.size(), sizeof(T));
    if (linear() && tile.diagonal()) {
      for (int64_t i = 0; i < tile.rows; ++i) {
        const T* row = products + i * tile.cols;
        values = std::copy_n(row, i, values);
        sums_.diagonal[k * n_ + tile.row + i] = double(row[i]);
      }
    } else if (linear()) {
      values += tile.size();
    } else {
      double* edges = edge_sums_.data() + ((t - first) * count() + k) * 2 * kLargestSide;
      values = apply_kernel(items_[k], tile, products, values, edges, w);
    }
    if (offsets_) subtract_offsets(offsets_ + k * n_, tile, slab_at(k, t));
    std::fill(values, end, T(0));
  }

  static void subtract_offsets(const double* offsets, const Tile& tile, T* values) {
    for (int64_t i = 0; i < tile.rows; ++i) {
      const int64_t count = tile.diagonal() ? i : tile.cols;
      const double own = offsets[tile.row + i];
      for (int64_t j = 0; j < count; ++j) {
        values[j] = T(double(values[j]) - (own + offsets[tile.col + j]));
      }
      values += count;
    }
  }

  // Returns the end of the values; their sums over rows and over columns go into `edges`.
  T* apply_kernel(const StreamItem<T>& item, const Tile& tile, T* products, T* values,
                  double* edges, Worker& w) const {
    const KernelFunctions<T>& functions = kernel_functions<T>();
    const ScaledKernel& kernel = item.kernel;
    const double* norms = item.item->norms;
    w.norms.assign(norms + tile.col, norms + tile.col + tile.cols);
    w.zeros.assign(size_t(tile.cols), T(0));
    w.column_sums.assign(size_t(tile.cols), T(0));
    const double largest = double(*std::max_element(w.norms.begin(), w.norms.end()));
    const double most = double(std::numeric_limits<T>::max());
    const RbfParameters<T> rbf{T(std::min(kernel.gamma, most)), T(kernel.shift)};
    const PolynomialParameters<T> polynomial{T(kernel.gamma), T(kernel.coef0), kernel.degree,
                                             T(kernel.origin), T(kernel.factor)};
    for (int64_t i = 0; i < tile.rows; ++i) {
      T* row = products + i * tile.cols;
      const int64_t count = tile.diagonal() ? i : tile.cols;
      if (options_.function == KernelFunction::polynomial) {
        edges[i] = functions.polynomial(row, count, polynomial, values, w.column_sums.data());
      } else {
        T norm = T(norms[tile.row + i]);
        const T* others = w.norms.data();
        if (const double safe = least_safe_distance<T>(kernel.gamma, largest + double(norm))) {
          repair_distances(*item.item, tile, i, count, T(safe), w, row);
          norm = 0;
          others = w.zeros.data();
        }
        edges[i] = functions.rbf(row, count, norm, others, rbf, values, w.column_sums.data());
      }
      values += count;
    }
    std::copy_n(w.column_sums.data(), tile.cols, edges + kLargestSide);
    return values;
  }

  // Makes products of row i minus one half of squared distances, those below `safe` computed from
  // the difference: what products of samples are that have no norm.
  static void repair_distances(const KernelItem<T>& item, const Tile& tile, int64_t i,
                               int64_t count, T safe, Worker& w, T* row) {
    const T norm = T(item.norms[tile.row + i]);
    for (int64_t j = 0; j < count; ++j) {
      T distance = (w.norms[j] + norm) - 2 * row[j];
      if (distance < safe) {
        distance = T(squared_distance(item, tile.row + i, tile.col + j, w.gathered));
      }
      row[j] = distance / -2;
    }
  }

  void add_edge_sums(int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      const Tile& tile = plan_.tiles[t];
      for (int64_t k = 0; k < count(); ++k) {
        const double* edges = edge_sums_.data() + ((t - first) * count() + k) * 2 * kLargestSide;
        double* row_sums = sums_.row_sums.data() + k * n_;
        for (int64_t i = 0; i < tile.rows; ++i) row_sums[tile.row + i] += edges[i];
        for (int64_t j = 0; j < tile.cols; ++j) row_sums[tile.col + j] += edges[kLargestSide + j];
      }
    }
  }

  // Adds the products of all pairs over the first `length` columns of the slab. Tasks are slices of
  // columns, with sums of their own, times blocks of rows.
  void multiply(int64_t length) {
    const int64_t pairs = count_a_ * count_b_;
    const int64_t slices = std::clamp<int64_t>(kPartialSums / pairs, 1, kLargestSlices);
    const int64_t blocks = (count_a_ + kRowBlock - 1) / kRowBlock;
    partial_.assign(size_t(slices * pairs), 0.0);
    parallel_for(slices * blocks, threads_, [&](int64_t task, int) {
      const int64_t slice = task / blocks, row = (task % blocks) * kRowBlock;
      const int64_t col = padded(slice * length / slices, sizeof(T));
      const int64_t end = std::min(length, padded((slice + 1) * length / slices, sizeof(T)));
      const int64_t rows = std::min(kRowBlock, count_a_ - row);
      const T* right = slab_row(symmetric_ ? 0 : count_a_) + col;
      row_kernels<T>().add_products(slab_row(row) + col, plan_.row_size, rows, right,
                                    plan_.row_size, symmetric_ ? row + rows : count_b_, end - col,
                                    symmetric_ ? row : count_b_,
                                    partial_.data() + slice * pairs + row * count_b_, count_b_);
    });
    for (int64_t slice = 0; slice < slices; ++slice) {
      const double* partial = partial_.data() + slice * pairs;
      for (int64_t k = 0; k < pairs; ++k) sums_.products[k] += 2 * partial[k];
    }
    if (symmetric_) return;
    parallel_for(count(), threads_, [&](int64_t k, int) {
      sums_.self[k] += 2 * row_kernels<T>().dot(slab_row(k), slab_row(k), length);
    });
  }

  const KernelOptions& options_;
  const int threads_;
  const double* const offsets_;
  const bool symmetric_;
  const int64_t count_a_, count_b_;
  const std::vector<StreamItem<T>>& items_;
  std::vector<Worker> workers_;
  std::vector<int64_t> order_;
  int64_t n_ = 0;
  Plan plan_;
  AlignedBuffer<T> slab_;
  std::vector<double> partial_, edge_sums_;
  KernelSums sums_;
};

}  // namespace

template <class T>
KernelSums stream_grams(const std::vector<StreamItem<T>>& items, int64_t count_a,
                        const KernelOptions& options, int threads, const double* offsets) {
  return Stream<T>(items, count_a, options, threads, offsets).run();
}

template KernelSums stream_grams<float>(const std::vector<StreamItem<float>>&, int64_t,
                                        const KernelOptions&, int, const double*);
template KernelSums stream_grams<double>(const std::vector<StreamItem<double>>&, int64_t,
                                         const KernelOptions&, int, const double*);

}  // namespace likewise

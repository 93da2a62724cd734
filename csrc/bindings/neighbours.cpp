#include "neighbours/neighbours.h"

#include <pybind11/stl.h>

#include <unordered_map>

#include "bindings/arrays.h"
#include "bindings/options.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace likewise::bindings {
namespace {

template <class T>
std::vector<Neighbours> neighbours_of(const std::vector<MatrixRef<const T>>& items,
                                      const NeighbourOptions& options, int threads) {
  std::vector<Neighbours> found(items.size());
  // Few items: the threads share the rows of one; many: each takes an item.
  const int64_t count = int64_t(items.size());
  parallel_for(count, count >= threads ? threads : 1,
               [&](int64_t i, int) { find_neighbours(items[i], options, threads, found[i]); });
  return found;
}

NeighbourItem neighbour_item(const Neighbours& found) {
  return {found.index.data(), found.similarity.empty() ? nullptr : found.similarity.data(),
          found.usable};
}

std::vector<NeighbourItem> neighbour_items(const std::vector<Neighbours>& found,
                                           int64_t* constant_units) {
  std::vector<NeighbourItem> items;
  for (const Neighbours& one : found) {
    items.push_back(neighbour_item(one));
    *constant_units++ = one.constant_units;
  }
  return items;
}

void neighbour_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                      py::array scores, py::array counts, const NeighbourMeasure& options,
                      int threads) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto views_a = matrices<T>(a), views_b = matrices<T>(b);
    const Counts found = counts_of(counts);
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    const std::vector<Neighbours> left = neighbours_of(views_a, options, threads);
    const std::vector<Neighbours> right = neighbours_of(views_b, options, threads);
    const auto items_a = neighbour_items(left, found.row(0));
    const auto items_b = neighbour_items(right, found.row(0) + a.size());
    compare_neighbours(options.score, items_a, b.empty() ? nullptr : &items_b, false,
                       views_a[0].rows, options.k, threads, out, found.row(1),
                       found.row(1) + a.size());
  });
}

// The items of a batch, those that broadcasting repeats found once.
template <class T>
struct NeighbourSide {
  std::vector<Neighbours> found;
  std::vector<NeighbourItem> items;

  NeighbourSide(const ArrayRef& side, const NeighbourOptions& options, int threads,
                int64_t* constant_units) {
    const MatrixBatch<const T> batch(side);
    std::vector<MatrixRef<const T>> distinct;
    std::vector<size_t> which;
    std::unordered_map<const T*, size_t> seen;
    for (int64_t p = 0; p < batch.count(); ++p) {
      const MatrixRef<const T> item = batch[p];
      const auto [at, fresh] = seen.try_emplace(item.data, distinct.size());
      if (fresh) distinct.push_back(item);
      which.push_back(at->second);
    }
    found = neighbours_of(distinct, options, threads);
    for (const size_t k : which) {
      items.push_back(neighbour_item(found[k]));
      *constant_units++ = found[k].constant_units;
    }
  }
};

void neighbour_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                     const NeighbourMeasure& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  require_same_dtype(vx, vy, "neighbour_pairs");
  dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Counts found = counts_of(counts);
    const int64_t count = found.items / 2;
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    const NeighbourSide<T> left(vx, options, threads, found.row(0));
    const NeighbourSide<T> right(vy, options, threads, found.row(0) + count);
    compare_neighbours(options.score, left.items, &right.items, true, vx.shape[vx.ndim - 2],
                       options.k, threads, out, found.row(1), found.row(1) + count);
  });
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", &neighbour_scores);
  m.def("neighbour_pairs", &neighbour_pairs);
}

}  // namespace likewise::bindings

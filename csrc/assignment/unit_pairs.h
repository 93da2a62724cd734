#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assignment/match.h"
#include "core/parallel.h"
#include "linalg/cross.h"
#include "linalg/reordered.h"

// All correlations between the units of two representations, pair after pair: float units are
// multiplied in float over blocks of 256 samples, whose products are summed in double. Of unit
// columns a correlation is then off by at most (256 + 4) 2^-24 = 1.6e-5, as a rule by some 1e-6.

namespace likewise {

template <class T>
struct UnitPair {
  MatrixRef<const double> correlation;
  const T *x, *y;  // unit columns (rows x correlation.rows) and (rows x correlation.cols)
  int64_t rows;
  bool constant;  // one of the representations has nothing but constant units
};

// body(item, pair, worker) for every pair of a batch x (..., n, dx), y (..., n, dy); the numbers of
// constant units of all x, then of all y, go to constant_units. An item that neighbouring pairs
// share is prepared once per thread.
template <class T, class Body>
void for_each_unit_pair(const ArrayRef& x_array, const ArrayRef& y_array, int64_t* constant_units,
                        int threads, const Body& body) {
  struct Side {
    const T* source = nullptr;
    std::vector<T> units;
    int64_t constant = 0;

    Item<T> prepare(const MatrixRef<const T>& x) {
      if (source != x.data) {
        units.resize(size_t(x.rows * x.cols));
        constant = unit_columns(x, units.data());
        source = x.data;
      }
      return {units.data(), x.cols};
    }
  };
  struct Workspace {
    Side x, y;
    ProductWorkspace<T, double> product;
  };
  const MatrixBatch<const T> x_batch(x_array), y_batch(y_array);
  const int64_t count = x_batch.count();
  std::vector<Workspace> workspaces(
      size_t(std::max<int64_t>(1, std::min<int64_t>(threads, count))));
  parallel_for(count, threads, [&](int64_t item, int worker) {
    Workspace& w = workspaces[worker];
    const MatrixRef<const T> x = x_batch[item], y = y_batch[item];
    const Item<T> a = w.x.prepare(x), b = w.y.prepare(y);
    constant_units[item] = w.x.constant;
    constant_units[count + item] = w.y.constant;
    const double* correlation = product(a, b, x.rows, w.product);
    const bool nothing = w.x.constant == x.cols || w.y.constant == y.cols;
    body(item,
         UnitPair<T>{{correlation, x.cols, y.cols, y.cols, 1}, a.data, b.data, x.rows, nothing},
         worker);
  });
}

// body(i, j, pair, worker) for every pair of a list with another, or (`b` empty) for every two
// different items i < j of one list.
template <class T, class Body>
void for_each_unit_pair(const UnitItems<T>& a, const UnitItems<T>& others, int64_t rows,
                        int threads, const Body& body) {
  const UnitItems<T>& b = others.items.empty() ? a : others;
  const auto visit = [&](int64_t i, int64_t j, double* product, int64_t ld, int worker) {
    const MatrixRef<const double> correlation{product, a.items[i].cols, b.items[j].cols, ld, 1};
    body(i, j,
         UnitPair<T>{correlation, a.items[i].data, b.items[j].data, rows,
                     a.is_constant(i) || b.is_constant(j)},
         worker);
  };
  for_each_product<T, double>(a.items, others.items, rows,
                              others.items.empty() ? Pairing::symmetric : Pairing::cross, threads,
                              visit);
}

// Prepares x and y and calls score(x, copies of y, first) for all orders of the rows of y, the
// copies being in the orders from `first` on.
template <class T, class Score>
void for_each_reordered_units(const MatrixRef<const T>& x, const MatrixRef<const T>& y,
                              const int32_t* orders, int64_t k, const Score& score) {
  int64_t constant = 0;
  const UnitItems<T> left = prepare_units<T>({x}, 1, &constant);
  std::vector<T> units(size_t(y.rows * y.cols));
  const std::vector<int64_t> constants(size_t(k), unit_columns(y, units.data()));
  for_each_reordered<T>(units.data(), y.rows, y.cols, orders, k,
                        [&](const std::vector<Item<T>>& copies, int64_t first) {
                          score(left, UnitItems<T>{copies, constants.data(), {}}, first);
                        });
}

}  // namespace likewise

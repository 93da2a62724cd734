#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assignment/match.h"
#include "core/parallel.h"
#include "linalg/cross.h"

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
// constant units go to constant_units (count, 2).
template <class T, class Body>
void for_each_unit_pair(const ArrayRef& x_array, const ArrayRef& y_array, int64_t* constant_units,
                        int threads, const Body& body) {
  struct Workspace {
    std::vector<T> x, y;
    ProductWorkspace<T, double> product;
  };
  const MatrixBatch<const T> x_batch(x_array), y_batch(y_array);
  const int64_t count = x_batch.count();
  std::vector<Workspace> workspaces(
      size_t(std::max<int64_t>(1, std::min<int64_t>(threads, count))));
  parallel_for(count, threads, [&](int64_t item, int worker) {
    Workspace& w = workspaces[worker];
    const MatrixRef<const T> x = x_batch[item], y = y_batch[item];
    w.x.resize(size_t(x.rows * x.cols));
    w.y.resize(size_t(y.rows * y.cols));
    int64_t* constant = constant_units + 2 * item;
    constant[0] = unit_columns(x, w.x.data());
    constant[1] = unit_columns(y, w.y.data());
    const double* correlation =
        product(Item<T>{w.x.data(), x.cols}, Item<T>{w.y.data(), y.cols}, x.rows, w.product);
    const bool nothing = constant[0] == x.cols || constant[1] == y.cols;
    body(item,
         UnitPair<T>{
             {correlation, x.cols, y.cols, y.cols, 1}, w.x.data(), w.y.data(), x.rows, nothing},
         worker);
  });
}

// body(i, j, pair, worker) for every pair of a list with another, or (`b` null) for every two
// different items i < j of one list.
template <class T, class Body>
void for_each_unit_pair(const UnitItems<T>& a, const UnitItems<T>* b_given, int64_t rows,
                        int threads, const Body& body) {
  const UnitItems<T>& b = b_given ? *b_given : a;
  const auto visit = [&](int64_t i, int64_t j, double* product, int64_t ld, int worker) {
    const MatrixRef<const double> correlation{product, a.items[i].cols, b.items[j].cols, ld, 1};
    body(i, j,
         UnitPair<T>{correlation, a.items[i].data, b.items[j].data, rows,
                     a.is_constant(i) || b.is_constant(j)},
         worker);
  };
  for_each_product<T, double>(a.items, b_given ? b.items : std::vector<Item<T>>{}, rows,
                              b_given ? Pairing::cross : Pairing::symmetric, threads, visit);
}

}  // namespace likewise

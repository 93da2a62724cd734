#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assignment/match.h"
#include "core/counts.h"
#include "core/dtype.h"
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

inline bool has_nan(const MatrixRef<const double>& correlation) {
  bool found = false;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    for (int64_t j = 0; j < correlation.cols; ++j) {
      found |= correlation(i, j) != correlation(i, j);
    }
  }
  return found;
}

// body(item, pair, worker) for every pair of a batch x (..., n, dx), y (..., n, dy). An item that
// neighbouring pairs share is prepared once per thread.
template <class T, class Body>
void for_each_unit_pair(const ArrayRef& x_array, const ArrayRef& y_array, const Counts& counts,
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
    ProductWorkspace<T> product;
  };
  const MatrixBatch<const T> x_batch(x_array), y_batch(y_array);
  const int64_t count = x_batch.count();
  std::vector<Workspace> workspaces(
      size_t(std::max<int64_t>(1, std::min<int64_t>(threads, count))));
  parallel_for(count, threads, [&](int64_t item, int worker) {
    Workspace& w = workspaces[worker];
    const MatrixRef<const T> x = x_batch[item], y = y_batch[item];
    const Item<T> a = w.x.prepare(x), b = w.y.prepare(y);
    counts(kConstantUnits, item) = w.x.constant;
    counts(kConstantUnits, count + item) = w.y.constant;
    const double* correlation = product(a, b, x.rows, w.product);
    const bool nothing = w.x.constant == x.cols || w.y.constant == y.cols;
    body(item,
         UnitPair<T>{{correlation, x.cols, y.cols, y.cols, 1}, a.data, b.data, x.rows, nothing},
         worker);
  });
}

// Unit columns of a list.
template <class T>
struct UnitItems {
  std::vector<Item<T>> items;
  const int64_t* constant_units;
  std::vector<std::vector<T>> data;  // of the items, if they are no one else's

  // Nothing but constant units.
  bool is_constant(int64_t k) const { return constant_units[k] == items[k].cols; }
  // Whether the item, of so many rows, is its own best partner.
  bool matches_itself(int64_t k, int64_t rows) const {
    const T *begin = items[k].data, *end = begin + rows * items[k].cols;
    return !is_constant(k) && std::none_of(begin, end, [](T value) { return value != value; });
  }
};

// The numbers of constant units stay where they are written.
template <class T>
UnitItems<T> prepare_units(const std::vector<MatrixRef<const T>>& items, int threads,
                           int64_t* constant_units) {
  UnitItems<T> out{{}, constant_units, std::vector<std::vector<T>>(items.size())};
  parallel_for(int64_t(items.size()), threads, [&](int64_t k, int) {
    out.data[k].resize(size_t(items[k].rows * items[k].cols));
    constant_units[k] = unit_columns(items[k], out.data[k].data());
  });
  for (size_t k = 0; k < items.size(); ++k) {
    out.items.push_back({out.data[k].data(), items[k].cols});
  }
  return out;
}

// Prepares two lists and calls body(units of a, of b, number of samples).
template <class Body>
void with_units(const Arrays& a, const Arrays& b, int threads, const Counts& counts,
                const Body& body) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    int64_t* const constant = counts.row(kConstantUnits);
    const std::vector<MatrixRef<const T>> of_a = matrices<T>(a);
    const UnitItems<T> left = prepare_units<T>(of_a, threads, constant);
    body(left, prepare_units<T>(matrices<T>(b), threads, constant + a.size()), of_a[0].rows);
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
  for_each_product<T>(a.items, others.items, rows,
                      others.items.empty() ? Pairing::symmetric : Pairing::cross, threads, visit);
}

// Prepares x and y and calls score(x, copies of y, first, number of samples) for all orders of the
// rows of y, the copies being in the orders from `first` on.
template <class Score>
void for_each_reordered_units(const ArrayRef& x, const ArrayRef& y, const int32_t* orders,
                              int64_t k, const Score& score) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    int64_t constant[2];
    const auto items = matrices<T>({x, y});
    const UnitItems<T> left = prepare_units<T>({items[0]}, 1, constant);
    const UnitItems<T> right = prepare_units<T>({items[1]}, 1, constant + 1);
    const std::vector<int64_t> constants(size_t(k), constant[1]);
    for_each_reordered<T>(right.data[0].data(), items[1].rows, items[1].cols, orders, k,
                          [&](const std::vector<Item<T>>& copies, int64_t first) {
                            score(left, UnitItems<T>{copies, constants.data(), {}}, first,
                                  items[1].rows);
                          });
  });
}

}  // namespace likewise

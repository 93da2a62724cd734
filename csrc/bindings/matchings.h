#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "assignment/unit_pairs.h"
#include "bindings/arrays.h"
#include "bindings/options.h"
#include "core/dtype.h"

// What the bindings of hard and of soft matching share. `score` is called as
// score(items of a, of b, number of samples, scores, threads).

namespace likewise::bindings {

inline bool any(const Counts& counts) {
  return std::any_of(counts.data, counts.data + counts.items, [](int64_t n) { return n != 0; });
}

template <class Score>
void unit_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                 py::array& scores, py::array& counts, int threads, const Score& score) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    int64_t* const constants = counts_of(counts).data;
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    const UnitItems<T> left = prepare_units<T>(items_a, threads, constants);
    const UnitItems<T> right = prepare_units<T>(items_b, threads, constants + items_a.size());
    score(left, right, items_a[0].rows, out, threads);
  });
}

template <class Score>
void units_reordered(const py::array& x, const py::array& y, const Orders& orders,
                     py::array& scores, int threads, const Score& score) {
  dispatch_float(input(x).dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::vector<MatrixRef<const T>> items = matrices<T>({x, y});
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    for_each_reordered_units<T>(
        items[0], items[1], orders.data(), orders.shape(0),
        [&](const UnitItems<T>& left, const UnitItems<T>& right, int64_t first) {
          score(left, right, items[0].rows, out + first, threads);
        });
  });
}

}  // namespace likewise::bindings

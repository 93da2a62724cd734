#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "assignment/cuda/match.h"
#include "assignment/cuda/match_kernels.h"
#include "core/cuda/context.h"
#include "core/cuda/grid.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"

namespace likewise::cuda {

// Units of equally wide items; the next item is `step` elements away (0: one item for all pairs).
template <class T>
struct UnitRun {
  const T* data;
  int64_t cols, step;
  ConstantUnits constant;

  UnitRun from(int64_t item) const {
    return {
        data + item * step, cols, step, {constant.numbers + item * constant.step, constant.step}};
  }
};

// Units of the items of a list, one item behind the other.
template <class T>
struct UnitList {
  Layout layout;
  T* data;
  int64_t* constant_units;

  UnitList(const Context& context, const std::vector<Matrix<T>>& items, int64_t rows,
           int64_t* constant)
      : layout(rows, columns_of(items)),
        data(context.temporary<T>(size_t(layout.size()))),
        constant_units(constant) {
    check(cudaMemsetAsync(constant, 0, items.size() * sizeof(int64_t), context.stream), "memset");
    for (size_t k = 0; k < items.size(); ++k) {
      unit_columns<T>(items[k].data, 1, rows, items[k].cols, data + layout.begin(k), constant + k,
                      1, context.stream);
    }
  }

  // Items from k on, as wide as it, or item k for all pairs.
  UnitRun<T> run(int64_t k, bool single) const {
    return {data + layout.begin(k),
            layout.cols(k),
            single ? 0 : layout.size(k),
            {constant_units + k, single ? 0 : 1}};
  }
};

// Units of pairs of items; constant_units of all x, then of all y.
template <class T>
struct UnitPairs {
  UnitRun<T> x{}, y{};

  UnitPairs(const Context& context, const UnitShapes& shapes, const T* given_x, const T* given_y,
            int64_t* constant_units) {
    const auto [count, rows, dx, dy] = shapes;
    check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
          "memset");
    T* const units_x = context.temporary<T>(size_t(count * rows * dx));
    T* const units_y = context.temporary<T>(size_t(count * rows * dy));
    unit_columns<T>(given_x, count, rows, dx, units_x, constant_units, 1, context.stream);
    unit_columns<T>(given_y, count, rows, dy, units_y, constant_units + count, 1, context.stream);
    x = {units_x, dx, rows * dx, {constant_units, 1}};
    y = {units_y, dy, rows * dy, {constant_units + count, 1}};
  }
};

// Units of two lists, or of one beside itself.
template <class T>
struct UnitLists {
  UnitList<T> left;
  std::optional<UnitList<T>> other;

  UnitLists(const Context& context, const std::vector<Matrix<T>>& a,
            const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric, int64_t* constant_units)
      : left(context, a, rows, constant_units) {
    if (!symmetric) other.emplace(context, b, rows, constant_units + a.size());
  }
  const UnitList<T>& right() const { return other ? *other : left; }

  // Calls body(x, y, count, place) for every item of the left, single, with runs of the right;
  // place: of their first score.
  template <class Body>
  void for_each(GridPart part, Body&& body) const {
    const int64_t width = right().layout.count();
    for_each_run(left.layout, right().layout, part, [&](int64_t i, int64_t j, int64_t count) {
      body(left.run(i, true), right().run(j, false), count, i * width + j);
    });
  }
};

constexpr int64_t kFloatSamples = 256;  // that are summed up in float

// (count, a.cols, b.cols) in temporary memory: products of item k of a with item k of b, summed in
// double, with the error that assignment/unit_pairs.h tells.
template <class T>
double* unit_products(const Context& context, const UnitRun<T>& a, const UnitRun<T>& b,
                      int64_t count, int64_t samples) {
  const int64_t size = a.cols * b.cols;
  double* const out = context.temporary<double>(size_t(count * size));
  const auto multiply = [&](int64_t first, int64_t some, T* to) {
    gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, a.cols, b.cols, some,
            T(1), {a.data + first * a.cols, a.cols, a.step},
            {b.data + first * b.cols, b.cols, b.step}, {to, b.cols, size}, count);
  };
  if constexpr (std::is_same_v<T, double>) {
    multiply(0, samples, out);
  } else {
    T* const part = context.temporary<T>(size_t(count * size));
    check(cudaMemsetAsync(out, 0, size_t(count * size) * sizeof(double), context.stream), "memset");
    for (int64_t first = 0; first < samples; first += kFloatSamples) {
      multiply(first, std::min(kFloatSamples, samples - first), part);
      add_products<T>(part, 1, count * size, out, context.stream);
    }
  }
  return out;
}

}  // namespace likewise::cuda

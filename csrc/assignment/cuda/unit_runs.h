#pragma once

#include <cstdint>
#include <vector>

#include "assignment/cuda/match_kernels.h"
#include "core/cuda/context.h"
#include "core/cuda/grid.h"

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
    for (size_t k = 0; k < items.size(); ++k) {
      check(unit_columns<T>(items[k].data, 1, rows, items[k].cols, data + layout.begin(k),
                            constant + k, 1, context.stream),
            "launch");
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

}  // namespace likewise::cuda

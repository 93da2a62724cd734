#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

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
      check(add_products<T>(part, 1, count * size, out, context.stream), "launch");
    }
  }
  return out;
}

}  // namespace likewise::cuda

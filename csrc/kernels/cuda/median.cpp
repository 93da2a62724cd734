#include "kernels/cuda/median.h"

#include <algorithm>

#include "core/instantiate.h"
#include "kernels/cuda/bandwidth.h"
#include "kernels/cuda/gram_gradient.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {

template <class T>
void middle_distances(const Context& context, const T* x, const double* unit, const T* centred,
                      int64_t rows, int64_t cols, const double* norms, double* middle,
                      unsigned long long* pairs) {
  const int64_t size = rows * (rows - 1) / 2;
  const int64_t fitting = kWorkBytes / (rows * int64_t(sizeof(T)));
  const int64_t block = std::clamp<int64_t>(fitting, 1, rows);
  T* const values = context.temporary<T>(size_t(block * rows));
  Selection* const selection = context.temporary<Selection>(1);
  bool there = false;  // whether `values` has all distances
  const auto for_each_block = [&](auto&& body) {
    for (int64_t first = 0; first < rows; first += block) {
      const int64_t count = std::min(block, rows - first);
      if (!there) {
        gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, count, rows, cols,
                T(1), {centred + first * cols, cols, 0}, {centred, cols, 0},
                {values, rows, count * rows}, 1);
        squared_distance_rows<T>({values, x, unit, norms, rows, cols, first, count},
                                 context.stream);
      }
      there = block == rows;
      body(first, count);
    }
  };
  start_selection(selection, size, context.stream);
  for (int digit = 0; digit < int(sizeof(T)); ++digit) {
    for_each_block([&](int64_t first, int64_t count) {
      count_digits<T>(values, rows, first, count, digit, selection, context.stream);
    });
    pick_digit(selection, context.stream);
  }
  for_each_block([&](int64_t first, int64_t count) {
    find_above<T>(values, rows, first, count, selection, context.stream);
  });
  finish_selection<T>(selection, size, middle, context.stream);
  if (!pairs) return;
  check(cudaMemsetAsync(pairs, 0xFF, 2 * sizeof *pairs, context.stream), "memset");
  for_each_block([&](int64_t first, int64_t count) {
    find_pairs<T>(values, rows, first, count, middle, pairs, context.stream);
  });
}

LIKEWISE_INSTANTIATE(middle_distances);

}  // namespace likewise::cuda

#include "core/finite.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/dtype.h"
#include "core/parallel.h"

namespace likewise {
namespace {

// Sums x * 0 in independent lanes: NaN if and only if some x is NaN or infinite.
template <class T>
bool all_finite(const T* x, int64_t count, int64_t stride) {
  constexpr int64_t kLanes = 16;
  T sum[kLanes] = {};
  int64_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= count; i += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) sum[lane] += x[i + lane] * T(0);
    }
  }
  for (; i < count; ++i) sum[0] += x[i * stride] * T(0);
  T total = 0;
  for (const T lane : sum) total += lane;
  return total == T(0);
}

template <class T>
int64_t first_nonfinite_in(const ArrayRef& array, int threads) {
  const MatrixBatch<const T> batch(array);
  const int64_t count = batch.count();
  if (count == 0) return -1;
  const int64_t rows = array.shape[array.ndim - 2], cols = array.shape[array.ndim - 1];
  if (rows * cols == 0) return -1;

  const int64_t rows_per_block = std::max<int64_t>(1, (int64_t{1} << 18) / cols);
  const int64_t blocks = (rows + rows_per_block - 1) / rows_per_block;
  std::atomic<int64_t> first{INT64_MAX};
  auto look = [&](int64_t task, int) {
    const MatrixRef<const T> m = batch[task / blocks];
    const int64_t begin = (task % blocks) * rows_per_block;
    const int64_t end = std::min(rows, begin + rows_per_block);
    for (int64_t i = begin; i < end; ++i) {
      const T* row = m.data + i * m.row_stride;
      if (all_finite(row, cols, m.col_stride)) continue;
      int64_t j = 0;
      while (std::isfinite(row[j * m.col_stride])) ++j;
      const int64_t index = ((task / blocks) * rows + i) * cols + j;
      int64_t seen = first.load();
      while (index < seen && !first.compare_exchange_weak(seen, index)) {
      }
      return;
    }
  };
  parallel_for(count * blocks, threads, look);
  return first == INT64_MAX ? -1 : first.load();
}

}  // namespace

int64_t first_nonfinite(const ArrayRef& array, int threads) {
  return dispatch_float(
      array.dtype, [&](auto zero) { return first_nonfinite_in<decltype(zero)>(array, threads); });
}

}  // namespace likewise

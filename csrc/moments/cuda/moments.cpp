#include "moments/cuda/moments.h"

#include <algorithm>

#include "core/cuda/elements.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"
#include "moments/cuda/moments_kernels.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostDoubles = kWorkBytes / int64_t(sizeof(double));  // of a part

template <class T>
int64_t width_of(const std::vector<Matrix<T>>& items) {
  int64_t width = 1 + int64_t(items.size());
  for (const Matrix<T>& item : items) width += item.cols;
  return width;
}

// Augmented data of one side, `count` samples of these rows.
template <class T>
void fill(const Context& context, const std::vector<Matrix<T>>& items, int64_t width,
          const StridedRows& rows, int64_t count, const Frame& frame, double* out) {
  const int64_t begin = 1 + int64_t(items.size());
  int64_t start = begin;
  for (size_t k = 0; k < items.size(); ++k) {
    const Frame of_item{frame.shift + start - begin, frame.unit + k};
    augment<T>(items[k].data, items[k].cols, rows, count, of_item, int64_t(k), start, width, out,
               context.stream);
    start += items[k].cols;
  }
}

// What the sums of these items are multiplied by when their units have grown.
template <class T>
const double* growth(const Context& context, const std::vector<Matrix<T>>& items, int64_t width,
                     const double* ratio) {
  std::vector<int32_t> starts{int32_t(1 + items.size())};
  for (const Matrix<T>& item : items) starts.push_back(int32_t(starts.back() + item.cols));
  int32_t* const there = context.temporary<int32_t>(starts.size());
  send_values(starts.data(), int64_t(starts.size()), there, context.stream);
  double* const out = context.temporary<double>(size_t(width));
  growth_of({there, int64_t(items.size())}, ratio, width, out, context.stream);
  return out;
}

}  // namespace

template <class T>
void add_moments(const Context& context, const std::vector<Matrix<T>>& a,
                 const std::vector<Matrix<T>>& b, const StridedRows& rows,
                 const GrownFrame& frame_a, const GrownFrame& frame_b, double* total) {
  const bool symmetric = b.empty();
  const int64_t width_a = width_of(a), width_b = symmetric ? width_a : width_of(b);
  const double* const by_rows = growth(context, a, width_a, frame_a.ratio);
  const double* const by_columns = symmetric ? by_rows : growth(context, b, width_b, frame_b.ratio);
  grow_sums(total, width_a, width_b, by_rows, by_columns, context.stream);
  const int64_t all = rows.count();
  if (all == 0) return;
  const int64_t some = std::clamp<int64_t>(kMostDoubles / (width_a + width_b), 1, all);
  const int64_t tall = std::clamp<int64_t>(kMostDoubles / width_b, 1, width_a);
  double* const x = context.temporary<double>(size_t(some * width_a));
  double* const y = symmetric ? x : context.temporary<double>(size_t(some * width_b));
  double* const part = context.temporary<double>(size_t(tall * width_b));
  for (int64_t done = 0; done < all; done += some) {
    const int64_t count = std::min(some, all - done);
    fill(context, a, width_a, rows.from(done), count, frame_a.frame, x);
    if (!symmetric) fill(context, b, width_b, rows.from(done), count, frame_b.frame, y);
    for (int64_t first = 0; first < width_a; first += tall) {
      const int64_t height = std::min(tall, width_a - first);
      gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, height, width_b,
                   count, 1.0, {x + first, width_a, 0}, {y, width_b, 0},
                   {part, width_b, height * width_b}, 1);
      add_products<double>(part, 1, height * width_b, total + first * width_b, context.stream);
    }
  }
}

template <class T>
void begin_frame(const Context& context, const std::vector<Matrix<T>>& items, int64_t samples,
                 double* shift, double* unit) {
  const std::vector<double> least(items.size(), kLeastUnit);
  send_values(least.data(), int64_t(least.size()), unit, context.stream);
  for (const Matrix<T>& item : items) {
    column_means<T>(item.data, samples, item.cols, shift, context.stream);
    shift += item.cols;
  }
}

template <class T>
void grow_units(const Context& context, const std::vector<Matrix<T>>& items, int64_t samples,
                const double* shift, double* unit, double* ratio) {
  for (const Matrix<T>& item : items) {
    const UnitGrowth growth{shift, context.temporary<double>(size_t(item.cols)), unit++, ratio++};
    grow_unit<T>(item.data, samples, item.cols, growth, context.stream);
    shift += item.cols;
  }
}

LIKEWISE_INSTANTIATE(add_moments);
LIKEWISE_INSTANTIATE(begin_frame);
LIKEWISE_INSTANTIATE(grow_units);

}  // namespace likewise::cuda

#include "moments/cuda/moments.h"

#include <algorithm>

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
          const StridedRows& rows, int64_t count, double* out) {
  int64_t start = 1 + int64_t(items.size());
  for (size_t k = 0; k < items.size(); ++k) {
    check(augment<T>(items[k].data, items[k].cols, rows, count, int64_t(k), start, width, out,
                     context.stream),
          "launch");
    start += items[k].cols;
  }
}

}  // namespace

template <class T>
void add_moments(const Context& context, const std::vector<Matrix<T>>& a,
                 const std::vector<Matrix<T>>& b, const StridedRows& rows, double* total) {
  const int64_t all = rows.count();
  if (all == 0) return;
  const bool symmetric = b.empty();
  const int64_t width_a = width_of(a), width_b = symmetric ? width_a : width_of(b);
  const int64_t some = std::clamp<int64_t>(kMostDoubles / (width_a + width_b), 1, all);
  const int64_t tall = std::clamp<int64_t>(kMostDoubles / width_b, 1, width_a);
  double* const x = context.temporary<double>(size_t(some * width_a));
  double* const y = symmetric ? x : context.temporary<double>(size_t(some * width_b));
  double* const part = context.temporary<double>(size_t(tall * width_b));
  for (int64_t done = 0; done < all; done += some) {
    const int64_t count = std::min(some, all - done);
    fill(context, a, width_a, rows.from(done), count, x);
    if (!symmetric) fill(context, b, width_b, rows.from(done), count, y);
    for (int64_t first = 0; first < width_a; first += tall) {
      const int64_t height = std::min(tall, width_a - first);
      gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, height, width_b,
                   count, 1.0, {x + first, width_a, 0}, {y, width_b, 0},
                   {part, width_b, height * width_b}, 1);
      check(
          add_products<double>(part, 1, height * width_b, total + first * width_b, context.stream),
          "launch");
    }
  }
}

#define LIKEWISE_INSTANTIATE(T)                                               \
  template void add_moments<T>(const Context&, const std::vector<Matrix<T>>&, \
                               const std::vector<Matrix<T>>&, const StridedRows&, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

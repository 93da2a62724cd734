#include "linalg/cuda/gram_svd.h"

#include <algorithm>

#include "core/cuda/scratch.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/eigen_kernels.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {
namespace {

// Calls body(context, columns, grams, first, items) with columns and their Gram matrices in double,
// as many items at a time as fit.
template <class T, class Body>
void for_each_chunk(const Context& context, const DeviceRef& columns, Body&& body) {
  const int64_t count = columns.shape[0], n = columns.shape[1], m = columns.shape[2];
  const int64_t bytes = 2 * n * m * int64_t(sizeof(double));
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / bytes, 1, count);
  Scratch scratch(context);
  for (int64_t first = 0; first < count; first += chunk) {
    const Context& inner = scratch.next();
    const int64_t items = std::min(chunk, count - first);
    DeviceRef some = columns;
    some.data = static_cast<const T*>(columns.data) + first * columns.strides[0];
    some.shape[0] = items;
    double* const wide = inner.temporary<double>(size_t(items * n * m));
    double* const grams = inner.temporary<double>(size_t(items * n * n));
    check(copy_elements<double>(some, wide, inner.stream), "copy");
    const Matrices<const double> x{wide, m, n * m};
    gemm<double>(blas_context(inner.stream), BlasOp::none, BlasOp::transpose, n, n, m, 1.0, x, x,
                 {grams, n, n * n}, items);
    body(inner, x, grams, first, items);
  }
}

// Rows (count, n, m) of each item in the opposite order: those of large values, which settle first.
template <class T>
void turn_over(const Context& context, const double* rows, int64_t count, int64_t n, int64_t m,
               T* out) {
  const DeviceRef from_last{
      rows + (n - 1) * m, ElementType::float64, 3, {count, n, m}, {n * m, -m, 1}};
  check(copy_elements<T>(from_last, out, context.stream), "copy");
}

}  // namespace

template <class T>
void gram_svdvals(const Context& context, const DeviceRef& columns, T* values) {
  const int64_t n = columns.shape[1];
  for_each_chunk<T>(
      context, columns,
      [&](const Context& inner, const Matrices<const double>&, double* grams, int64_t first,
          int64_t items) {
        double* const squares = inner.temporary<double>(size_t(items * n));
        symmetric_eigen(inner, grams, items, n, squares, false, WithoutEigen::nan, first);
        check(descending_roots<T>(squares, items, n, values + first * n, inner.stream), "launch");
      });
}

template <class T>
void turn_to_axes(const Context& context, const DeviceRef& columns, T* turned, T* basis) {
  const int64_t n = columns.shape[1], m = columns.shape[2];
  for_each_chunk<T>(context, columns,
                    [&](const Context& inner, const Matrices<const double>& x, double* grams,
                        int64_t first, int64_t items) {
                      double* const squares = inner.temporary<double>(size_t(items * n));
                      double* const product = inner.temporary<double>(size_t(items * n * m));
                      symmetric_eigen(inner, grams, items, n, squares, true,
                                      WithoutEigen::identity);
                      gemm<double>(blas_context(inner.stream), BlasOp::none, BlasOp::none, n, m, n,
                                   1.0, {grams, n, n * n}, x, {product, m, n * m}, items);
                      turn_over(inner, product, items, n, m, turned + first * n * m);
                      turn_over(inner, grams, items, n, n, basis + first * n * n);
                    });
}

#define LIKEWISE_INSTANTIATE(T)                                        \
  template void gram_svdvals<T>(const Context&, const DeviceRef&, T*); \
  template void turn_to_axes<T>(const Context&, const DeviceRef&, T*, T*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

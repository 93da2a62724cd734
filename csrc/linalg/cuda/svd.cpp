#include "linalg/cuda/svd.h"

#include <algorithm>

#include "core/cuda/elements.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/gram_svd.h"
#include "linalg/cuda/jacobi_shared.h"
#include "linalg/cuda/unit_scale.h"

namespace likewise::cuda {
namespace {

template <class T>
constexpr ElementType kType = sizeof(T) == 4 ? ElementType::float32 : ElementType::float64;

// The vectors along the longer side.
template <class T>
DeviceRef longer_side(const T* a, int64_t count, int64_t rows, int64_t cols) {
  const int64_t size = rows * cols;
  if (rows < cols) return {a, kType<T>, 3, {count, rows, cols}, {size, cols, 1}};
  return {a, kType<T>, 3, {count, cols, rows}, {size, 1, cols}};
}

// Matrices in units of powers of two.
template <class T>
struct Scaled {
  T* data;
  int* exponents;

  Scaled(const Context& context, const T* a, int64_t count, int64_t size)
      : data(context.temporary<T>(size_t(count * size))),
        exponents(context.temporary<int>(size_t(count))) {
    check(to_unit_scale<T>(a, count, size, data, exponents, context.stream), "launch");
  }
};

// The orthonormal factor (rows x cols), the sum of the products of left and right vectors.
template <class T>
void multiply_vectors(const Context& context, const JacobiSvd<T>& svd, int64_t rows, int64_t cols,
                      T* out) {
  const Matrices<const T> columns{svd.columns, svd.m, svd.m * svd.n};
  const Matrices<const T> right{svd.right, svd.n, svd.n * svd.n};
  const bool tall = rows >= cols;
  gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, rows, cols, svd.n, T(1),
          tall ? columns : right, tall ? right : columns, {out, cols, rows * cols}, svd.count);
}

}  // namespace

template <class T>
JacobiSvd<T> decompose(const Context& context, const T* a, int64_t count, int64_t rows,
                       int64_t cols) {
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  JacobiSvd<T> svd{};
  svd.columns = context.temporary<T>(size_t(count * m * n));
  svd.right = context.temporary<T>(size_t(count * n * n));
  svd.values = context.temporary<T>(size_t(count * n));
  svd.failure = context.status ? &context.status->unconverged : nullptr;
  svd.count = count;
  svd.m = m;
  svd.n = n;
  if (fits_shared_memory<T>(m, n, true)) {
    check(jacobi_svd_shared<T>(a, rows < cols, svd, context.stream), "launch");
    return svd;
  }
  const DeviceRef columns = longer_side(a, count, rows, cols);
  if (!has_eigen(n)) {
    check(copy_elements<T>(columns, svd.columns, context.stream), "copy");
    check(jacobi_svd<T>(svd, context.stream), "launch");
    return svd;
  }
  T* const right = svd.right;
  T* const basis = context.temporary<T>(size_t(count * n * n));
  turn_to_axes<T>(context, columns, svd.columns, basis);
  svd.right = context.temporary<T>(size_t(count * n * n));  // what is left to turn
  check(jacobi_svd<T>(svd, context.stream), "launch");
  gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::none, n, n, n, T(1),
          {svd.right, n, n * n}, {basis, n, n * n}, {right, n, n * n}, count);
  svd.right = right;
  return svd;
}

template <class T>
void svdvals(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
             T* out) {
  if (count == 0) return;
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  if (sizeof(T) == 4 && has_eigen(n)) {  // exact to single precision, which rotations in it are not
    return gram_svdvals<T>(context, longer_side(a, count, rows, cols), out);
  }
  JacobiSvd<T> svd{};
  if (fits_shared_memory<T>(m, n, false)) {
    unsigned long long* const failure = context.status ? &context.status->unconverged : nullptr;
    T* const values = context.temporary<T>(size_t(count * n));
    svd = {nullptr, nullptr, values, failure, count, m, n};
    check(jacobi_svd_shared<T>(a, rows < cols, svd, context.stream), "launch");
  } else {
    svd = decompose(context, a, count, rows, cols);
  }
  check(sort_descending<T>(svd.values, count, svd.n, out, context.stream), "launch");
}

template <class T>
void polar(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols, T* u,
           T* p) {
  if (count == 0) return;
  const Scaled<T> scaled_a(context, a, count, rows * cols);
  const JacobiSvd<T> svd = decompose<T>(context, scaled_a.data, count, rows, cols);
  multiply_vectors(context, svd, rows, cols, u);
  // P is the sum of s v v', v being the vectors of length cols.
  const T* const vectors = rows >= cols ? svd.right : svd.columns;
  const int64_t size = svd.n * cols;
  T* const scaled = context.temporary<T>(size_t(count * size));
  check(cudaMemcpyAsync(scaled, vectors, size_t(count * size) * sizeof(T), cudaMemcpyDeviceToDevice,
                        context.stream),
        "copy");
  check(scale_rows<T>(scaled, svd.values, count, svd.n, cols, context.stream), "launch");
  gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, cols, cols, svd.n, T(1),
          {scaled, cols, size}, {vectors, cols, size}, {p, cols, cols * cols}, count);
  check(from_unit_scale<T>(p, count, cols * cols, scaled_a.exponents, nullptr, context.stream),
        "launch");
}

template <class T>
void orthogonal_procrustes(const Context& context, const T* a, const T* b, int64_t count,
                           int64_t rows, int64_t d, T* r, T* scale) {
  if (count == 0) return;
  const int64_t size = rows * d;
  const Scaled<T> left(context, a, count, size), right(context, b, count, size);
  T* const product = context.temporary<T>(size_t(count * d * d));
  gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, d, d, rows, T(1),
          {left.data, d, size}, {right.data, d, size}, {product, d, d * d}, count);
  const JacobiSvd<T> svd = decompose<T>(context, product, count, d, d);
  multiply_vectors(context, svd, d, d, r);
  check(sum_values<T>(svd.values, count, d, scale, context.stream), "launch");
  check(from_unit_scale<T>(scale, count, 1, left.exponents, right.exponents, context.stream),
        "launch");
}

#define LIKEWISE_INSTANTIATE(T)                                                                \
  template JacobiSvd<T> decompose<T>(const Context&, const T*, int64_t, int64_t, int64_t);     \
  template void svdvals<T>(const Context&, const T*, int64_t, int64_t, int64_t, T*);           \
  template void polar<T>(const Context&, const T*, int64_t, int64_t, int64_t, T*, T*);         \
  template void orthogonal_procrustes<T>(const Context&, const T*, const T*, int64_t, int64_t, \
                                         int64_t, T*, T*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

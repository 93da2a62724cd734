#include "linalg/cuda/svd.h"

#include <algorithm>

#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/eigen_kernels.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/jacobi_shared.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/polar_kernels.h"
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
    to_unit_scale<T>(a, count, size, data, exponents, context.stream);
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

template <class T>
JacobiSvd<T> room_for_svd(const Context& context, int64_t count, int64_t rows, int64_t cols) {
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  return {context.temporary<T>(size_t(count * m * n)),
          context.temporary<T>(size_t(count * n * n)),
          context.temporary<T>(size_t(count * n)),
          context.status ? &context.status->unconverged : nullptr,
          count,
          m,
          n};
}

// By rotations from the data on, of the matrices that are `wanted` (all: null).
template <class T>
JacobiSvd<T> rotate(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
                    const int* wanted) {
  JacobiSvd<T> svd = room_for_svd<T>(context, count, rows, cols);
  svd.wanted = wanted;
  copy_elements<T>(longer_side(a, count, rows, cols), svd.columns, context.stream);
  jacobi_svd<T>(svd, context.stream);
  return svd;
}

// basis (count, n, n) and values (count, n): of H = S V S', positive semidefinite, the rows of V'
// and S, in descending order.
template <class T>
void eigen_of_stretch(const Context& context, const T* h, int64_t count, int64_t n, T* basis,
                      T* values) {
  if (!has_eigen(n)) {
    const JacobiSvd<T> svd{
        context.temporary<T>(size_t(count * n * n)), basis, values, nullptr, count, n, n};
    return jacobi_svd_shared<T>(h, false, svd, context.stream);
  }
  double* const vectors = context.temporary<double>(size_t(count * n * n));
  double* const ascending = context.temporary<double>(size_t(count * n));
  copy_elements<double>({h, kType<T>, 1, {count * n * n}, {1}}, vectors, context.stream);
  symmetric_eigen(context, vectors, count, n, ascending, true, WithoutEigen::identity);
  descending<T>(ascending, count, n, false, values, context.stream);
  const DeviceRef from_last{
      vectors + (n - 1) * n, ElementType::float64, 3, {count, n, n}, {n * n, -n, 1}};
  copy_elements<T>(from_last, basis, context.stream);
}

// A = P H with the polar factor P and H = V S V': A = (P V) S V', of the condition of A and not
// its square. Where P is not orthonormal A V has columns that are nearly orthogonal, for rotations
// to finish, which leave all other matrices as they are.
//
// One matrix of 512 x 512, float64: 24 steps of three products and four more, 20 GFLOP, and 9 n^3
// flops of the eigensolver; 2 ms, where rotations took three sweeps of 511 rounds by one block, 50
// ms. Derived, not measured.
template <class T>
JacobiSvd<T> decompose_by_polar(const Context& context, const T* a, int64_t count, int64_t rows,
                                int64_t cols) {
  JacobiSvd<T> svd = room_for_svd<T>(context, count, rows, cols);
  const int64_t m = svd.m, n = svd.n, size = m * n, square = n * n;
  T* const factors = context.temporary<T>(size_t(count * size));
  T* const h = context.temporary<T>(size_t(count * square));
  int* const deficient = context.temporary<int>(size_t(count));
  BlasContext* const blas = blas_context(context.stream);
  const bool tall = rows >= cols;
  const BlasOp to_long = tall ? BlasOp::transpose : BlasOp::none;
  const BlasOp from_long = tall ? BlasOp::none : BlasOp::transpose;
  polar_factors<T>(context, a, count, rows, cols, factors, context.temporary<double>(size_t(count)),
                   deficient);
  gemm<T>(blas, to_long, from_long, n, n, m, T(1), {factors, cols, size}, {a, cols, size},
          {h, n, square}, count);
  T* const basis = context.temporary<T>(size_t(count * square));
  eigen_of_stretch<T>(context, h, count, n, basis, svd.values);
  replace_flagged<T>(a, deficient, count, size, factors, context.stream);
  gemm<T>(blas, BlasOp::none, to_long, n, m, n, T(1), {basis, n, square}, {factors, cols, size},
          {svd.columns, m, size}, count);
  svd.wanted = deficient;
  jacobi_svd<T>(svd, context.stream);
  gemm<T>(blas, BlasOp::none, BlasOp::none, n, n, n, T(1), {svd.right, n, square},
          {basis, n, square}, {h, n, square}, count);
  svd.right = h;
  return svd;
}

// Singular values by the eigenvalues of Gram matrices in float64. Their error is about 1e-8 of the
// largest one: the precision of float32. Matrices without a decomposition are NaN, and told to the
// status.
void gram_svdvals(const Context& context, const DeviceRef& columns, float* values) {
  const int64_t count = columns.shape[0], n = columns.shape[1], m = columns.shape[2];
  const int64_t bytes = 2 * n * m * int64_t(sizeof(double));
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / bytes, 1, count);
  Scratch scratch(context);
  for (int64_t first = 0; first < count; first += chunk) {
    const Context& inner = scratch.next();
    const int64_t items = std::min(chunk, count - first);
    DeviceRef some = columns;
    some.data = static_cast<const float*>(columns.data) + first * columns.strides[0];
    some.shape[0] = items;
    double* const wide = inner.temporary<double>(size_t(items * n * m));
    double* const grams = inner.temporary<double>(size_t(items * n * n));
    double* const squares = inner.temporary<double>(size_t(items * n));
    copy_elements<double>(some, wide, inner.stream);
    const Matrices<const double> x{wide, m, n * m};
    gemm<double>(blas_context(inner.stream), BlasOp::none, BlasOp::transpose, n, n, m, 1.0, x, x,
                 {grams, n, n * n}, items);
    symmetric_eigen(inner, grams, items, n, squares, false, WithoutEigen::nan, first);
    descending<float>(squares, items, n, true, values + first * n, inner.stream);
  }
}

// P of A = U P, the sum of s v v', v being the vectors of length cols.
template <class T>
void stretch_of_svd(const Context& context, const JacobiSvd<T>& svd, int64_t rows, int64_t cols,
                    T* p) {
  const T* const vectors = rows >= cols ? svd.right : svd.columns;
  const int64_t size = svd.n * cols;
  T* const scaled = context.temporary<T>(size_t(svd.count * size));
  check(cudaMemcpyAsync(scaled, vectors, size_t(svd.count * size) * sizeof(T),
                        cudaMemcpyDeviceToDevice, context.stream),
        "copy");
  scale_rows<T>(scaled, svd.values, svd.count, svd.n, cols, context.stream);
  gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, cols, cols, svd.n, T(1),
          {scaled, cols, size}, {vectors, cols, size}, {p, cols, cols * cols}, svd.count);
}

// U of A = U P, and P (`stretch`) or the sums of singular values where they are wanted.
template <class T>
void factor(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols, T* u,
            T* stretch, T* sums) {
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  const auto by_svd = [&](const JacobiSvd<T>& svd, T* to, T* stretch_to, T* sums_to) {
    multiply_vectors(context, svd, rows, cols, to);
    if (stretch) stretch_of_svd(context, svd, rows, cols, stretch_to);
    if (sums) sum_values<T, T>(svd.values, count, n, sums_to, context.stream);
  };
  if (fits_shared_memory<T>(m, n, true)) {
    return by_svd(decompose<T>(context, a, count, rows, cols), u, stretch, sums);
  }
  double* const norms = context.temporary<double>(size_t(count));
  int* const deficient = context.temporary<int>(size_t(count));
  polar_factors<T>(context, a, count, rows, cols, u, norms, deficient);
  const int64_t size = rows * cols, square = cols * cols;
  if (stretch) {
    gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, cols, cols, rows, T(1),
            {u, cols, size}, {a, cols, size}, {stretch, cols, square}, count);
    symmetrise<T>(stretch, count, cols, context.stream);
  }
  if (sums) {
    copy_elements<T>({norms, ElementType::float64, 1, {count}, {1}}, sums, context.stream);
  }
  // Rotations for the others.
  T* const other_u = context.temporary<T>(size_t(count * size));
  T* const other_stretch = stretch ? context.temporary<T>(size_t(count * square)) : nullptr;
  T* const other_sums = sums ? context.temporary<T>(size_t(count)) : nullptr;
  by_svd(rotate<T>(context, a, count, rows, cols, deficient), other_u, other_stretch, other_sums);
  const auto replace = [&](const T* from, int64_t elements, T* to) {
    if (!to) return;
    replace_flagged<T>(from, deficient, count, elements, to, context.stream);
  };
  replace(other_u, size, u);
  replace(other_stretch, square, stretch);
  replace(other_sums, 1, sums);
}

}  // namespace

template <class T>
JacobiSvd<T> decompose(const Context& context, const T* a, int64_t count, int64_t rows,
                       int64_t cols) {
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  if (fits_shared_memory<T>(m, n, true)) {
    const JacobiSvd<T> svd = room_for_svd<T>(context, count, rows, cols);
    jacobi_svd_shared<T>(a, rows < cols, svd, context.stream);
    return svd;
  }
  if (has_eigen(n) || fits_shared_memory<T>(n, n, true)) {
    return decompose_by_polar<T>(context, a, count, rows, cols);
  }
  return rotate<T>(context, a, count, rows, cols, nullptr);
}

template <class T>
void svdvals(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
             T* out) {
  if (count == 0) return;
  const int64_t m = std::max(rows, cols), n = std::min(rows, cols);
  if constexpr (sizeof(T) == 4) {  // exact to single precision, which rotations in it are not
    if (has_eigen(n)) return gram_svdvals(context, longer_side(a, count, rows, cols), out);
  }
  JacobiSvd<T> svd{};
  if (fits_shared_memory<T>(m, n, false)) {
    unsigned long long* const failure = context.status ? &context.status->unconverged : nullptr;
    T* const values = context.temporary<T>(size_t(count * n));
    svd = {nullptr, nullptr, values, failure, count, m, n};
    jacobi_svd_shared<T>(a, rows < cols, svd, context.stream);
  } else {
    svd = decompose(context, a, count, rows, cols);
  }
  sort_descending<T>(svd.values, count, svd.n, out, context.stream);
}

template <class T>
void polar(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols, T* u,
           T* p) {
  if (count == 0) return;
  const Scaled<T> scaled_a(context, a, count, rows * cols);
  factor<T>(context, scaled_a.data, count, rows, cols, u, p, nullptr);
  from_unit_scale<T>(p, count, cols * cols, scaled_a.exponents, nullptr, context.stream);
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
  factor<T>(context, product, count, d, d, r, nullptr, scale);
  from_unit_scale<T>(scale, count, 1, left.exponents, right.exponents, context.stream);
}

LIKEWISE_INSTANTIATE(decompose);
LIKEWISE_INSTANTIATE(svdvals);
LIKEWISE_INSTANTIATE(polar);
LIKEWISE_INSTANTIATE(orthogonal_procrustes);

}  // namespace likewise::cuda

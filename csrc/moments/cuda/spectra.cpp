#include "moments/cuda/spectra.h"

#include <algorithm>

#include "linalg/cuda/eigen.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"

namespace likewise::cuda {
namespace {

// How many matrices of this size there can be, of `count`.
int64_t fitting(int64_t count, int64_t size) {
  return std::clamp<int64_t>(kWorkBytes / (size * int64_t(sizeof(double))), 1, count);
}

void copy(const double* from, int64_t size, double* to, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from, size_t(size) * sizeof(double), cudaMemcpyDeviceToDevice, stream),
        "copy");
}

}  // namespace

DecomposedGrams decompose_grams(const Context& context, double* grams, int64_t count,
                                int64_t cols) {
  if (!has_eigen(cols)) {
    const JacobiSvd<double> svd = decompose<double>(context, grams, count, cols, cols);
    return {svd.columns, svd.values};
  }
  double* const values = context.temporary<double>(size_t(count * cols));
  symmetric_eigen(context, grams, count, cols, values, true, WithoutEigen::nan);
  return {grams, values};
}

Directions::Directions(const Context& context, const SumsOfPairs& pairs, const SumsList& list,
                       const Existing& existing, bool sees_sizes, const Weigh& weigh) {
  int64_t size = 0;
  for (int64_t k = 0; k < list.count(); ++k) {
    begins_.push_back(size);
    size += list.layout.cols(k) * list.layout.cols(k);
  }
  rows_ = context.temporary<double>(size_t(size));
  Scratch scratch(context);
  for (int64_t first = 0, count = 0; first < list.count(); first += count) {
    const int64_t cols = list.layout.cols(first), square = cols * cols;
    count = fitting(list.layout.end_of_run(first) - first, 7 * square);
    const Context& inner = scratch.next();
    const auto doubles = [&](int64_t n) { return inner.temporary<double>(size_t(count * n)); };
    double *const grams = doubles(square), *const units = doubles(square);
    double *const norms = doubles(cols), *const weights = doubles(cols);
    pairs.grams(list, first, count, grams, inner.stream);
    copy(grams, count * square, units, inner.stream);
    check(unit_grams(units, count, cols, norms, inner.stream), "launch");
    const DecomposedGrams found = decompose_grams(inner, units, count, cols);
    check(find_existing({found.values, norms, pairs.cross().sums, weights, existing.ranks + first,
                         existing.dropped + first, count, cols, existing.center},
                        inner.stream),
          "launch");
    double* const rows = rows_ + begins_[size_t(first)];
    double* const white = sees_sizes ? doubles(square) : rows;
    copy(found.vectors, count * square, white, inner.stream);
    check(scale_rows<double>(white, weights, count, cols, cols, inner.stream), "launch");
    check(scale_columns(white, norms, true, count, cols, cols, inner.stream), "launch");
    if (!sees_sizes) {
      weigh({found.values, existing.ranks + first, count, cols}, first, weights);
      check(scale_rows<double>(rows, weights, count, cols, cols, inner.stream), "launch");
      continue;
    }
    // The same space along the principal axes of the items: eigenvectors of W G G W'.
    double *const within = doubles(square), *const products = doubles(square);
    BlasContext* const blas = blas_context(inner.stream);
    gemm<double>(blas, BlasOp::none, BlasOp::none, cols, cols, cols, 1, {white, cols, square},
                 {grams, cols, square}, {within, cols, square}, count);
    gemm<double>(blas, BlasOp::none, BlasOp::transpose, cols, cols, cols, 1, {within, cols, square},
                 {within, cols, square}, {products, cols, square}, count);
    const DecomposedGrams axes = decompose_grams(inner, products, count, cols);
    weigh({axes.values, existing.ranks + first, count, cols}, first, weights);
    copy(axes.vectors, count * square, within, inner.stream);
    check(scale_rows<double>(within, weights, count, cols, cols, inner.stream), "launch");
    gemm<double>(blas, BlasOp::none, BlasOp::none, cols, cols, cols, 1, {within, cols, square},
                 {white, cols, square}, {rows, cols, square}, count);
  }
}

void for_each_product(const Context& context, const SumsOfPairs& pairs, const Directions* left,
                      const Directions* right, GridPart part, const PairsBody& body) {
  const Layout &x = pairs.left().layout, &y = pairs.right().layout;
  Scratch scratch(context);
  const auto some_pairs = [&](int64_t i, int64_t j, int64_t count) {
    const Context& inner = scratch.next();
    const int64_t rows = x.cols(i), cols = y.cols(j), size = rows * cols;
    double* const between = inner.temporary<double>(size_t(count * size));
    pairs.products(i, j, count, between, inner.stream);
    if (!left) return body(inner, i, j, count, between);
    double* const half = inner.temporary<double>(size_t(count * size));
    BlasContext* const blas = blas_context(inner.stream);
    gemm<double>(blas, BlasOp::none, BlasOp::none, rows, cols, rows, 1.0, {left->rows(i), rows, 0},
                 {between, cols, size}, {half, cols, size}, count);
    gemm<double>(blas, BlasOp::none, BlasOp::transpose, rows, cols, cols, 1.0, {half, cols, size},
                 {right->rows(j), cols, cols * cols}, {between, cols, size}, count);
    body(inner, i, j, count, between);
  };
  for_each_run(pairs.left().layout, pairs.right().layout, part,
               [&](int64_t i, int64_t j, int64_t count) {
                 const int64_t chunk = fitting(count, 2 * x.cols(i) * y.cols(j));
                 for (int64_t first = 0; first < count; first += chunk) {
                   some_pairs(i, j + first, std::min(chunk, count - first));
                 }
               });
}

}  // namespace likewise::cuda

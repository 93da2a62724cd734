#include "procrustes/cuda/directions.h"

#include <algorithm>

#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"
#include "procrustes/cuda/directions_kernels.h"

namespace likewise::cuda {

ItemDirections existing_directions(const Context& context, const double* x,
                                   const Centred<double>& centred, int64_t count, int64_t rows,
                                   int64_t cols, bool center, const DirectionFacts& facts) {
  const int64_t width = std::min(rows, cols);
  double* const columns = context.temporary<double>(size_t(count * rows * cols));
  double* const norms = context.temporary<double>(size_t(count * cols));
  double* const exist = context.temporary<double>(size_t(count * width));
  unit_columns(x, centred, count, rows, cols, center, columns, norms, context.stream);
  const JacobiSvd<double> svd = decompose<double>(context, columns, count, rows, cols);
  find_existing({svd.values, exist, facts.ranks, facts.dropped, centred.constant_units, count,
                 width, rows, cols, center},
                context.stream);
  const bool tall = rows >= cols;
  double *const left = tall ? svd.columns : svd.right, *const right =
                                                           tall ? svd.right : svd.columns;
  scale_rows<double>(left, exist, count, width, rows, context.stream);
  scale_rows<double>(right, exist, count, width, cols, context.stream);
  return {left, right, svd.values, norms, width};
}

PrincipalAxes principal_axes(const Context& context, const ItemDirections& directions,
                             const double* data, int64_t count, int64_t rows, int64_t cols) {
  const int64_t width = directions.width;
  double* const within = context.temporary<double>(size_t(count * width * cols));
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, width, cols, rows, 1,
               {directions.left, rows, width * rows}, {data, cols, rows * cols},
               {within, cols, width * cols}, count);
  const JacobiSvd<double> svd = decompose<double>(context, within, count, width, cols);
  const bool tall = width >= cols;
  return {tall ? svd.columns : svd.right, svd.values, tall ? svd.right : svd.columns};
}

void turn_directions(const Context& context, const ItemDirections& directions,
                     const PrincipalAxes& axes, const double* weights, int64_t count, int64_t rows,
                     double* out) {
  const int64_t width = directions.width;
  scale_rows<double>(axes.axes, weights, count, width, width, context.stream);
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, width, rows, width, 1,
               {axes.axes, width, width * width}, {directions.left, rows, width * rows},
               {out, rows, width * rows}, count);
}

}  // namespace likewise::cuda

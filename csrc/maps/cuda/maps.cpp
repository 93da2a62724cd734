#include "maps/cuda/maps.h"

#include <algorithm>
#include <numeric>

#include "assignment/cuda/match_kernels.h"
#include "core/cuda/elements.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"
#include "regression/cuda/ridge.h"
#include "regression/cuda/ridge_kernels.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostDoubles = kWorkBytes / int64_t(sizeof(double));  // of a part

double* doubles(const Context& context, int64_t size) {
  return context.temporary<double>(size_t(size));
}

// out (m x n) = a'b, both of `rows` rows.
void multiply(const Context& context, const double* a, int64_t m, const double* b, int64_t n,
              int64_t rows, double* out) {
  gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, m, n, rows, 1.0,
               {a, m, 0}, {b, n, 0}, {out, n, m * n}, 1);
}

// The sum of the products of all elements of a and b (rows x cols), over cols.
void mean_product(const Context& context, const double* a, const double* b, int64_t rows,
                  int64_t cols, double* out) {
  double* const sums = doubles(context, cols);
  check(column_products(a, b, rows, cols, sums, context.stream), "launch");
  check(mean_over(sums, 1, cols, 1, out, context.stream), "launch");
}

}  // namespace

void fit_rotation(const Context& context, const double* x, const double* y, const MapShape& shape,
                  bool scale, double* weights) {
  const auto [rows, dx, dy] = shape;
  double* const cross = doubles(context, dx * dy);
  multiply(context, x, dx, y, dy, rows, cross);
  polar<double>(context, cross, 1, dx, dy, weights, doubles(context, dy * dy));
  if (!scale) return;
  double *const gram = doubles(context, dx * dx), *const moved = doubles(context, dx * dy);
  multiply(context, x, dx, x, dx, rows, gram);
  multiply(context, gram, dx, weights, dy, dx, moved);
  double* const means = doubles(context, 2);
  mean_product(context, weights, cross, dx, dy, means);
  mean_product(context, weights, moved, dx, dy, means + 1);
  check(scale_by_ratio(weights, dx * dy, means, means + 1, context.stream), "launch");
}

void fit_plan(const Context& context, const double* plan, const double* deviation_x,
              const double* deviation_y, const MapShape& shape, double* weights) {
  const auto [rows, dx, dy] = shape;
  double* const sums = doubles(context, dy);
  check(column_products(plan, nullptr, dx, dy, sums, context.stream), "launch");
  check(weigh_plan(plan, sums, deviation_x, deviation_y, dx, dy, weights, context.stream),
        "launch");
}

void scale_coefficients(const Context& context, const double* coefficients,
                        const double* deviation_x, const double* deviation_y, const MapShape& shape,
                        double* weights) {
  const auto [rows, dx, dy] = shape;
  double* const turned = doubles(context, dx * dy);
  const DeviceRef transposed{coefficients, ElementType::float64, 2, {dx, dy}, {1, dx}};
  check(copy_elements<double>(transposed, turned, context.stream), "copy");
  check(weigh_plan(turned, nullptr, deviation_x, deviation_y, dx, dy, weights, context.stream),
        "launch");
}

void fit_ridge(const Context& context, const double* x, const double* y, const MapShape& shape,
               const std::vector<double>& alphas, bool relative, double* weights, double* alpha) {
  RidgeOptions options{std::vector<int32_t>(size_t(shape.rows)), 1, alphas, relative, true};
  std::iota(options.order.begin(), options.order.end(), 0);
  double* const norm = doubles(context, 1);
  ridge_weights(context, {x, shape.dx}, {y, shape.dy}, options, weights, norm, alpha);
  check(scale_by_ratio(weights, shape.dx * shape.dy, nullptr, norm, context.stream), "launch");
}

void describe_map(const Context& context, const double* weights, const double* mean_x,
                  const double* mean_y, const MapShape& shape, double* coef, double* intercept) {
  const DeviceRef turned{weights, ElementType::float64, 2, {shape.dy, shape.dx}, {1, shape.dy}};
  check(copy_elements<double>(turned, coef, context.stream), "copy");
  double* const origin = doubles(context, shape.dx);
  check(cudaMemsetAsync(origin, 0, size_t(shape.dx) * sizeof(double), context.stream), "memset");
  predict<double>(context, origin, coef, mean_x, mean_y, {1, shape.dx, shape.dy}, intercept);
}

template <class T>
void predict(const Context& context, const T* x, const double* coef, const double* mean_x,
             const double* mean_y, const MapShape& shape, T* out) {
  const auto [rows, dx, dy] = shape;
  const int64_t some = std::clamp<int64_t>(kMostDoubles / (dx + dy), 1, rows);
  double *const centred = doubles(context, some * dx), *const found = doubles(context, some * dy);
  for (int64_t first = 0; first < rows; first += some) {
    const int64_t count = std::min(some, rows - first);
    check(subtract_mean<T>(x + first * dx, mean_x, count, dx, centred, context.stream), "launch");
    gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, count, dy, dx, 1.0,
                 {centred, dx, 0}, {coef, dx, 0}, {found, dy, count * dy}, 1);
    check(add_mean<T>(found, mean_y, count, dy, out + first * dy, context.stream), "launch");
  }
}

template <class T>
void score_map(const Context& context, const T* predictions, const T* targets, int64_t rows,
               int64_t cols, double* out) {
  double* const columns = doubles(context, 2 * cols);
  check(score_columns<T>(predictions, targets, rows, cols, columns, columns + cols, context.stream),
        "launch");
  check(mean_over(columns, 2, cols, 1, out, context.stream), "launch");
}

void score_plan(const Context& context, const double* plan, const double* x, const double* y,
                const MapShape& shape, double* out) {
  const auto [rows, dx, dy] = shape;
  double *const units = doubles(context, rows * dx), *const targets = doubles(context, rows * dy);
  int64_t* const constant = context.temporary<int64_t>(1);  // nobody asks how many
  check(cudaMemsetAsync(constant, 0, sizeof(int64_t), context.stream), "memset");
  check(unit_columns<double>(x, 1, rows, dx, units, constant, 1, context.stream), "launch");
  check(unit_columns<double>(y, 1, rows, dy, targets, constant, 1, context.stream), "launch");
  double* const correlations = doubles(context, dx * dy);
  multiply(context, units, dx, targets, dy, rows, correlations);
  mean_product(context, plan, correlations, dx, dy, out);
  mean_product(context, plan, nullptr, dx, dy, out + 1);
}

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template void predict<T>(const Context&, const T*, const double*, const double*, const double*, \
                           const MapShape&, T*);                                                  \
  template void score_map<T>(const Context&, const T*, const T*, int64_t, int64_t, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

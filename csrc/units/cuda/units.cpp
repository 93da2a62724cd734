#include "units/cuda/units.h"

#include "assignment/cuda/match_kernels.h"
#include "linalg/cuda/gemm.h"
#include "units/cuda/similarity.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one sort

// The units of both sides, prepared; constant units of all x, then of all y.
struct UnitSides {
  double *x, *y;

  UnitSides(const Context& context, const UnitShapes& shapes, const double* from_x,
            const double* from_y, int64_t* constant_units) {
    const auto [count, rows, dx, dy] = shapes;
    check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
          "memset");
    x = context.temporary<double>(size_t(count * rows * dx));
    y = context.temporary<double>(size_t(count * rows * dy));
    check(unit_columns<double>(from_x, count, rows, dx, x, constant_units, 1, context.stream),
          "launch");
    check(
        unit_columns<double>(from_y, count, rows, dy, y, constant_units + count, 1, context.stream),
        "launch");
  }
};

}  // namespace

void unit_correlations(const Context& context, const UnitShapes& shapes, const double* x,
                       const double* y, double* out, int64_t* constant_units) {
  const auto [count, rows, dx, dy] = shapes;
  if (count == 0) return;
  const UnitSides units(context, shapes, x, y, constant_units);
  gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, dx, dy, rows, 1.0,
               {units.x, dx, rows * dx}, {units.y, dy, rows * dy}, {out, dy, dx * dy}, count);
  check(limit_correlations(out, count * dx * dy, context.stream), "launch");
}

}  // namespace likewise::cuda

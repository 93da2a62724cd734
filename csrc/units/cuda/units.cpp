#include "units/cuda/units.h"

#include "assignment/cuda/unit_runs.h"
#include "linalg/cuda/gemm.h"
#include "units/cuda/similarity.h"

namespace likewise::cuda {

void unit_correlations(const Context& context, const UnitShapes& shapes, const double* x,
                       const double* y, double* out, int64_t* constant_units) {
  const auto [count, rows, dx, dy] = shapes;
  if (count == 0) return;
  const UnitPairs<double> units(context, shapes, x, y, constant_units);
  gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, dx, dy, rows, 1.0,
               {units.x.data, dx, rows * dx}, {units.y.data, dy, rows * dy}, {out, dy, dx * dy},
               count);
  limit_correlations(out, count * dx * dy, context.stream);
}

}  // namespace likewise::cuda

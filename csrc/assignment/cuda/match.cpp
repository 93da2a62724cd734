#include "assignment/cuda/match.h"

#include <algorithm>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/match_kernels.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {

template <class T>
void match_units(const Context& context, Matching matching, const UnitShapes& shapes, const T* x,
                 const T* y, double* score, int64_t* assignment, int64_t* constant_units) {
  const auto [count, rows, dx, dy] = shapes;
  if (count == 0) return;
  check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
        "memset");
  T* const units_x = context.temporary<T>(size_t(count * rows * dx));
  T* const units_y = context.temporary<T>(size_t(count * rows * dy));
  check(unit_columns<T>(x, count, rows, dx, units_x, constant_units, context.stream), "launch");
  check(unit_columns<T>(y, count, rows, dy, units_y, constant_units + 1, context.stream), "launch");
  // The shorter side of a permutation comes first.
  const bool turned = matching == Matching::permutation && dx > dy;
  T* const similarity = context.temporary<T>(size_t(count * dx * dy));
  const Matrices<const T> a{units_x, dx, rows * dx}, b{units_y, dy, rows * dy};
  const int64_t height = turned ? dy : dx, width = turned ? dx : dy;
  gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, height, width, rows, T(1),
          turned ? b : a, turned ? a : b, {similarity, width, dx * dy}, count);
  const MatchOutputs out{score, assignment, constant_units, dx, dy};
  if (matching == Matching::semi) {
    return check(finish_semi<T>(similarity, count, out, context.stream), "launch");
  }
  const int64_t pairs = count * height;
  AssignmentOutputs found{};
  found.row_ind = context.temporary<int64_t>(size_t(pairs));
  found.col_ind = context.temporary<int64_t>(size_t(pairs));
  found.cost = context.temporary<double>(size_t(count));
  check(solve_assignments<T>(similarity, count, int(height), int(width), true, turned, found,
                             context.stream),
        "assignment");
  check(finish_permutation(found.row_ind, found.col_ind, found.cost, count, height, out,
                           context.stream),
        "launch");
}

template void match_units<float>(const Context&, Matching, const UnitShapes&, const float*,
                                 const float*, double*, int64_t*, int64_t*);
template void match_units<double>(const Context&, Matching, const UnitShapes&, const double*,
                                  const double*, double*, int64_t*, int64_t*);

}  // namespace likewise::cuda

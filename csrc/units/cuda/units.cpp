#include "units/cuda/units.h"

#include <algorithm>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/match_kernels.h"
#include "linalg/cuda/gemm.h"
#include "rsa/cuda/sort_space.h"
#include "units/cuda/similarity.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one sort

// The units of both sides, prepared; constant_units (count, 2).
struct UnitSides {
  double *x, *y;

  UnitSides(const Context& context, const UnitShapes& shapes, const double* from_x,
            const double* from_y, int64_t* constant_units) {
    const auto [count, rows, dx, dy] = shapes;
    check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
          "memset");
    x = context.temporary<double>(size_t(count * rows * dx));
    y = context.temporary<double>(size_t(count * rows * dy));
    check(unit_columns<double>(from_x, count, rows, dx, x, constant_units, 2, context.stream),
          "launch");
    check(unit_columns<double>(from_y, count, rows, dy, y, constant_units + 1, 2, context.stream),
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

void unit_graph(const Context& context, int64_t rows, int64_t dx, int64_t dy, const double* x,
                const double* y, bool inside, double* weights, int64_t* constant_units) {
  const UnitSides units(context, {1, rows, dx, dy}, x, y, constant_units);
  const int64_t all = dx + dy;
  check(cudaMemsetAsync(weights, 0, size_t(all * all) * sizeof *weights, context.stream), "memset");
  struct Side {
    const double* data;
    int64_t cols, begin;
  };
  const Side sides[2] = {{units.x, dx, 0}, {units.y, dy, dx}};
  for (const Side& a : sides) {
    for (const Side& b : sides) {
      if (a.data == b.data && !inside) continue;
      gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, a.cols, b.cols,
                   rows, 1.0, {a.data, a.cols, 0}, {b.data, b.cols, 0},
                   {weights + a.begin * all + b.begin, all, all * all}, 1);
    }
  }
  check(edge_weights(weights, all, rows, context.stream), "launch");
}

template <class T>
void unit_partners(const Context& context, const T* similarity, const T* shorter_first,
                   int64_t rows, int64_t cols, double threshold, const Partners& out) {
  check(greedy_partners<T>(similarity, rows, cols, out, context.stream), "launch");
  const int64_t pairs = std::min(rows, cols), longer = std::max(rows, cols);
  AssignmentOutputs found{};
  found.row_ind = context.temporary<int64_t>(size_t(pairs));
  found.col_ind = context.temporary<int64_t>(size_t(pairs));
  check(solve_assignments<T>(shorter_first, 1, int(pairs), int(longer), true, rows > cols, found,
                             context.stream),
        "assignment");
  check(assigned_partners<T>(similarity, cols, found.row_ind, found.col_ind, pairs, threshold, out,
                             context.stream),
        "launch");
}

template <class T>
void unit_statistics(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
                     const UnitStatistics<T>& out) {
  if (count == 0) return;
  double* const negated = context.temporary<double>(size_t(count * cols));
  check(unit_moments<T>(x, count, rows, cols, out, negated, context.stream), "launch");
  const int64_t most = std::min(count, kMostItems);
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / sort_bytes<double>(cols), 1, most);
  const SortSpace<double> space = sort_space<double>(context, chunk, cols);
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t some = std::min(chunk, count - first), at = first * cols;
    check(sort_vectors<double>(negated + at, some, cols, space, context.stream), "launch");
    const UnitStatistics<T> to{nullptr, nullptr, nullptr, out.spectrum + at, out.spread + first};
    check(mean_spectra<T>(negated + at, space.positions[0], some, cols, to, context.stream),
          "launch");
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                \
  template void unit_partners<T>(const Context&, const T*, const T*, int64_t, int64_t, double, \
                                 const Partners&);                                             \
  template void unit_statistics<T>(const Context&, const T*, int64_t, int64_t, int64_t,        \
                                   const UnitStatistics<T>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

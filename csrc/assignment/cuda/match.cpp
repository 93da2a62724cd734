#include "assignment/cuda/match.h"

#include <algorithm>
#include <optional>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/unit_runs.h"
#include "core/cuda/scratch.h"
#include "core/ties.h"

namespace likewise::cuda {
namespace {

// Matches item k of x with item k of y; scores (count), assignment (count, dx) or null.
template <class T>
void match_some(const Context& context, Matching matching, const UnitRun<T>& x, const UnitRun<T>& y,
                int64_t count, int64_t rows, double* score, int64_t* assignment) {
  const int64_t dx = x.cols, dy = y.cols;
  // The shorter side of a permutation comes first.
  const bool turned = matching == Matching::permutation && dx > dy;
  const int64_t height = turned ? dy : dx, width = turned ? dx : dy;
  const double* const similarity =
      unit_products(context, turned ? y : x, turned ? x : y, count, rows);
  const MatchOutputs out{score, assignment, x.constant, y.constant, dx, dy};
  if (matching == Matching::semi) {
    return check(finish_semi(similarity, count, kTieTolerance<T>, out, context.stream), "launch");
  }
  const int64_t pairs = count * height;
  AssignmentOutputs found{};
  found.row_ind = context.temporary<int64_t>(size_t(pairs));
  found.col_ind = context.temporary<int64_t>(size_t(pairs));
  found.cost = context.temporary<double>(size_t(count));
  check(solve_assignments<double>(similarity, count, int(height), int(width), true, turned, found,
                                  context.stream),
        "assignment");
  check(finish_permutation(found.row_ind, found.col_ind, found.cost, count, height, out,
                           context.stream),
        "launch");
}

template <class T>
void match_run(Scratch& scratch, Matching matching, const UnitRun<T>& x, const UnitRun<T>& y,
               int64_t count, int64_t rows, double* score, int64_t* assignment) {
  const int64_t fitting = kWorkBytes / (x.cols * y.cols * int64_t(sizeof(T) + sizeof(double)));
  const int64_t chunk = std::clamp<int64_t>(fitting, 1, count);
  for (int64_t first = 0; first < count; first += chunk) {
    match_some(scratch.next(), matching, x.from(first), y.from(first),
               std::min(chunk, count - first), rows, score + first,
               assignment ? assignment + first * x.cols : nullptr);
  }
}

}  // namespace

template <class T>
void match_pairs(const Context& context, Matching matching, const UnitShapes& shapes, const T* x,
                 const T* y, double* score, int64_t* assignment, int64_t* constant_units) {
  const auto [count, rows, dx, dy] = shapes;
  if (count == 0) return;
  check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
        "memset");
  T* const units_x = context.temporary<T>(size_t(count * rows * dx));
  T* const units_y = context.temporary<T>(size_t(count * rows * dy));
  check(unit_columns<T>(x, count, rows, dx, units_x, constant_units, 1, context.stream), "launch");
  check(unit_columns<T>(y, count, rows, dy, units_y, constant_units + count, 1, context.stream),
        "launch");
  Scratch scratch(context);
  match_run<T>(scratch, matching, {units_x, dx, rows * dx, {constant_units, 1}},
               {units_y, dy, rows * dy, {constant_units + count, 1}}, count, rows, score,
               assignment);
}

template <class T>
void match_scores(const Context& context, Matching matching, const std::vector<Matrix<T>>& a,
                  const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric, double* scores,
                  int64_t* constant_units) {
  const size_t items = a.size() + (symmetric ? 0 : b.size());
  check(cudaMemsetAsync(constant_units, 0, items * sizeof(int64_t), context.stream), "memset");
  const UnitList<T> left(context, a, rows, constant_units);
  std::optional<UnitList<T>> other;
  if (!symmetric) other.emplace(context, b, rows, constant_units + a.size());
  const UnitList<T>& right = symmetric ? left : *other;
  // Best partners of x in y are not those of y in x.
  const bool half = symmetric && matching == Matching::permutation;
  Scratch scratch(context);
  const int64_t width = right.layout.count();
  for_each_run(left.layout, right.layout, half ? GridPart::upper : GridPart::all,
               [&](int64_t i, int64_t j, int64_t count) {
                 match_run<T>(scratch, matching, left.run(i, true), right.run(j, false), count,
                              rows, scores + i * width + j, nullptr);
               });
  if (half) check(mirror_upper(scores, width, context.stream), "launch");
}

#define LIKEWISE_INSTANTIATE(T)                                                                 \
  template void match_pairs<T>(const Context&, Matching, const UnitShapes&, const T*, const T*, \
                               double*, int64_t*, int64_t*);                                    \
  template void match_scores<T>(const Context&, Matching, const std::vector<Matrix<T>>&,        \
                                const std::vector<Matrix<T>>&, int64_t, bool, double*, int64_t*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

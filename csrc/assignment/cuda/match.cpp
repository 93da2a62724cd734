#include "assignment/cuda/match.h"

#include <algorithm>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/unit_runs.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
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
    return finish_semi(similarity, count, kTieTolerance<T>, out, context.stream);
  }
  const int64_t pairs = count * height;
  AssignmentOutputs found{};
  found.row_ind = context.temporary<int64_t>(size_t(pairs));
  found.col_ind = context.temporary<int64_t>(size_t(pairs));
  found.cost = context.temporary<double>(size_t(count));
  solve_assignments<double>(similarity, count, int(height), int(width), true, turned, found,
                            context.stream);
  finish_permutation(found.row_ind, found.col_ind, found.cost, count, height, out, context.stream);
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
  if (shapes.count == 0) return;
  const UnitPairs<T> units(context, shapes, x, y, constant_units);
  Scratch scratch(context);
  match_run<T>(scratch, matching, units.x, units.y, shapes.count, shapes.rows, score, assignment);
}

template <class T>
void match_scores(const Context& context, Matching matching, const std::vector<Matrix<T>>& a,
                  const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric, double* scores,
                  int64_t* constant_units) {
  const UnitLists<T> lists(context, a, b, rows, symmetric, constant_units);
  // Best partners of x in y are not those of y in x.
  const bool half = symmetric && matching == Matching::permutation;
  Scratch scratch(context);
  lists.for_each(half ? GridPart::upper : GridPart::all,
                 [&](const UnitRun<T>& x, const UnitRun<T>& y, int64_t count, int64_t place) {
                   match_run<T>(scratch, matching, x, y, count, rows, scores + place, nullptr);
                 });
  if (half) mirror_upper(scores, lists.right().layout.count(), context.stream);
}

LIKEWISE_INSTANTIATE(match_pairs);
LIKEWISE_INSTANTIATE(match_scores);

}  // namespace likewise::cuda

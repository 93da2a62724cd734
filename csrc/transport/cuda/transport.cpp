#include "transport/cuda/transport.h"

#include <algorithm>
#include <limits>

#include "assignment/cuda/unit_runs.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "transport/cuda/plans.h"

namespace likewise::cuda {
namespace {

// How many problems of this size are solved at a time.
template <class T>
int64_t chunk_of(int64_t count, int64_t rows, int64_t cols) {
  const int64_t fitting =
      kWorkBytes / (rows * cols * int64_t(sizeof(T) + sizeof(double) + sizeof(short)));
  return std::clamp<int64_t>(fitting, 1, count);
}

// Whole units sent; equal sides are an assignment.
template <class T>
void solve(const Context& context, const T* cost, int64_t count, int rows, int cols, bool maximize,
           const FlowOutputs& out) {
  if (rows < cols) {
    return solve_flows<T>(cost, count, rows, cols, maximize, out, context.stream);
  }
  const AssignmentOutputs pairs{context.temporary<int64_t>(size_t(count * rows)),
                                context.temporary<int64_t>(size_t(count * rows)),
                                out.cost,
                                out.row_dual,
                                out.column_dual,
                                out.gap,
                                out.failure};
  solve_assignments<T>(cost, count, rows, cols, maximize, false, pairs, context.stream);
  flows_of_pairs(pairs.row_ind, pairs.col_ind, count, rows, out, context.stream);
}

// Matches item k of x with item k of y; score (count), plan (count, dx, dy) or null. One plan is
// best for both scores: |a - b|^2 and -2 S differ by numbers of rows and of columns, which do not
// choose.
template <class T>
void match_some(const Context& context, bool distance, const UnitRun<T>& x, const UnitRun<T>& y,
                int64_t count, int64_t samples, double* score, T* plan) {
  const bool turned = x.cols > y.cols;
  const UnitRun<T>&a = turned ? y : x, &b = turned ? x : y;  // the shorter side comes first
  const int64_t rows = a.cols, cols = b.cols, size = rows * cols;
  const double* const similarity = unit_products(context, a, b, count, samples);
  FlowOutputs out{};
  out.units = context.temporary<short>(size_t(count * size));
  out.cost = context.temporary<double>(size_t(count));
  solve<double>(context, similarity, count, int(rows), int(cols), true, out);
  double* squares = nullptr;
  if (distance) {  // from the units: 2 - 2 S has lost the digits of small distances
    squares = context.temporary<double>(size_t(count * cols));
    transported_squares<T>(a, b, count, samples, out.units, squares, context.stream);
  }
  finish_soft_match<T>(out.cost, squares, a, b, count, score, context.stream);
  if (!plan) return;
  write_plans<T>(out.units, score, count, int(rows), int(cols), turned, T(0), plan, context.stream);
}

template <class T>
void match_run(Scratch& scratch, bool distance, const UnitRun<T>& x, const UnitRun<T>& y,
               int64_t count, int64_t samples, double* score, T* plan) {
  const int64_t dx = x.cols, dy = y.cols, chunk = chunk_of<T>(count, dx, dy);
  for (int64_t first = 0; first < count; first += chunk) {
    match_some<T>(scratch.next(), distance, x.from(first), y.from(first),
                  std::min(chunk, count - first), samples, score + first,
                  plan ? plan + first * dx * dy : nullptr);
  }
}

}  // namespace

template <class T>
void solve_transports(const Context& context, const TransportShapes& shapes, const T* cost, T* plan,
                      double* row_dual, double* column_dual, double* gap) {
  const auto [count, rows, cols, transposed] = shapes;
  if (count == 0) return;
  FlowOutputs out{};
  out.units = context.temporary<short>(size_t(count) * rows * cols);
  out.cost = context.temporary<double>(size_t(count));
  out.row_dual = transposed ? column_dual : row_dual;
  out.column_dual = transposed ? row_dual : column_dual;
  out.gap = gap;
  out.failure = context.status ? &context.status->assignment : nullptr;
  solve<T>(context, cost, count, rows, cols, false, out);
  write_plans<T>(out.units, gap, count, rows, cols, transposed, std::numeric_limits<T>::quiet_NaN(),
                 plan, context.stream);
}

template <class T>
void soft_match_pairs(const Context& context, bool distance, const UnitShapes& shapes, const T* x,
                      const T* y, double* score, T* plan, int64_t* constant_units) {
  if (shapes.count == 0) return;
  const UnitPairs<T> units(context, shapes, x, y, constant_units);
  Scratch scratch(context);
  match_run<T>(scratch, distance, units.x, units.y, shapes.count, shapes.rows, score, plan);
}

template <class T>
void soft_match_scores(const Context& context, bool distance, const std::vector<Matrix<T>>& a,
                       const std::vector<Matrix<T>>& b, int64_t samples, bool symmetric,
                       double* scores, int64_t* constant_units) {
  const UnitLists<T> lists(context, a, b, samples, symmetric, constant_units);
  Scratch scratch(context);
  lists.for_each(symmetric ? GridPart::upper_without_diagonal : GridPart::all,
                 [&](const UnitRun<T>& x, const UnitRun<T>& y, int64_t count, int64_t place) {
                   match_run<T>(scratch, distance, x, y, count, samples, scores + place, nullptr);
                 });
  if (!symmetric) return;
  const UnitList<T>& left = lists.left;
  const int64_t width = left.layout.count();
  for (int64_t k = 0; k < width; ++k) {
    own_score<T>(left.data + left.layout.begin(k), left.layout.cols(k), constant_units + k,
                 distance, scores + k * width + k, context.stream);
  }
  mirror_upper(scores, width, context.stream);
}

LIKEWISE_INSTANTIATE(solve_transports);
LIKEWISE_INSTANTIATE(soft_match_pairs);
LIKEWISE_INSTANTIATE(soft_match_scores);

}  // namespace likewise::cuda

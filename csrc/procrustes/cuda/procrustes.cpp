#include "procrustes/cuda/procrustes.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "core/cuda/centred.h"
#include "core/cuda/elements.h"
#include "core/cuda/grid.h"
#include "core/cuda/scratch.h"
#include "core/error.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/svd.h"
#include "procrustes/cuda/directions.h"
#include "procrustes/cuda/gap_score.h"
#include "procrustes/near_identity.h"

namespace likewise::cuda {
namespace {

template <class T>
constexpr double kTooSmall = std::is_same_v<T, float> ? kAgainInDoubleBelow : 0;

// Prepared items of equal width, `step` elements apart (0: one item for all pairs).
template <class T>
struct Run {
  const T* data;
  const double* norms;
  int64_t cols, step;
  bool single() const { return step == 0; }
};

// How many columns a prepared item has.
int64_t prepared_cols(int64_t rows, int64_t cols, const ProcrustesOptions& options) {
  return options.alpha < 1 ? std::min(rows, cols) : cols;
}

// U f(S) in place of U S V': what V does no score sees.
void reshape(const Context& context, const ItemDirections& found, const double* data, int64_t count,
             int64_t rows, int64_t cols, double alpha, double* norms, const int64_t* ranks,
             double* out) {
  const int64_t width = found.width;
  double* left = found.left;
  if (alpha == 0) {
    reshape_values({found.values, norms, ranks, count, width, alpha}, context.stream);
    scale_rows<double>(left, found.values, count, width, rows, context.stream);
  } else {
    const PrincipalAxes axes = principal_axes(context, found, data, count, rows, cols);
    reshape_values({axes.values, norms, ranks, count, width, alpha}, context.stream);
    left = context.temporary<double>(size_t(count * width * rows));
    turn_directions(context, found, axes, axes.values, count, rows, left);
  }
  const DeviceRef turned{
      left, ElementType::float64, 3, {count, rows, width}, {width * rows, 1, rows}};
  copy_elements<double>(turned, out, context.stream);
}

// What is found of items while they are prepared.
struct ItemFacts {
  double* norms;
  int64_t *constant_units, *dropped;
};

ItemFacts facts_of(const ShapeFindings& found, double* norms, int64_t first) {
  return {norms, found.constant_units + first, found.dropped + first};
}

template <class T>
void prepare(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
             const ProcrustesOptions& options, T* out, const ItemFacts& facts) {
  const bool reshaped = options.alpha < 1;
  T* const to = reshaped ? context.temporary<T>(size_t(count * rows * cols)) : out;
  const Centred<T> centred{to, context.temporary<double>(size_t(count)),
                           context.temporary<double>(size_t(count * cols)), facts.constant_units,
                           context.temporary<double>(size_t(count * cols))};
  centre<T>(x, count, rows, cols, options.center, centred, context.stream);
  if (!reshaped) {
    normalise<T>(centred, count, rows, cols, facts.norms, context.stream);
    return check(cudaMemsetAsync(facts.dropped, 0, size_t(count) * sizeof(int64_t), context.stream),
                 "set");
  }
  if constexpr (std::is_same_v<T, double>) {
    int64_t* const ranks = context.temporary<int64_t>(size_t(count));
    const ItemDirections found = existing_directions(context, x, centred, count, rows, cols,
                                                     options.center, {ranks, facts.dropped});
    normalise<T>(centred, count, rows, cols, facts.norms, context.stream);
    reshape(context, found, to, count, rows, cols, options.alpha, facts.norms, ranks, out);
  } else {
    throw InternalError("items are reshaped in float64");
  }
}

// Squared distances between y and x moved by P, or x and y moved by P' where that is the narrower.
template <class T>
void distances(const Context& context, const Run<T>& x, const Run<T>& y, int64_t rows,
               const T* factors, int64_t count, double* out) {
  const bool forward = x.cols <= y.cols;
  const Run<T>&from = forward ? x : y, &to = forward ? y : x;
  const int64_t size = rows * to.cols, product = x.cols * y.cols;
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / (size * int64_t(sizeof(T))), 1, count);
  T* const moved = context.temporary<T>(size_t(chunk * size));
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t items = std::min(chunk, count - first);
    gemm<T>(blas_context(context.stream), BlasOp::none, forward ? BlasOp::none : BlasOp::transpose,
            rows, to.cols, from.cols, T(1), {from.data + first * from.step, from.cols, from.step},
            {factors + first * product, y.cols, product}, {moved, to.cols, size}, items);
    squared_distances<T>(moved, to.data + first * to.step, to.step, items, size, out + first,
                         context.stream);
  }
}

// Scores of `count` pairs, one after the other.
template <class T>
void score_run(Scratch& scratch, const Run<T>& x, const Run<T>& y, int64_t count, int64_t rows,
               const ProcrustesOptions& options, double* scores, int64_t* close) {
  const int64_t product = x.cols * y.cols;
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / (product * int64_t(sizeof(T))), 1, count);
  const bool refine = options.score != ProcrustesScore::similarity;
  for (int64_t first = 0; first < count; first += chunk) {
    const Context& context = scratch.next();
    const int64_t items = std::min(chunk, count - first);
    const Run<T> from{x.data + first * x.step, x.norms, x.cols, x.step};
    const Run<T> to{y.data + first * y.step, y.norms, y.cols, y.step};
    T* const products = context.temporary<T>(size_t(items * product));
    double* const similarity = context.temporary<double>(size_t(items));
    double* const squares = context.temporary<double>(size_t(items));
    gemm<T>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, x.cols, y.cols, rows,
            T(1), {from.data, x.cols, x.step}, {to.data, y.cols, y.step},
            {products, y.cols, product}, items);
    const PolarVisitor<T> visit = [&](int64_t begin, int64_t part, const T* factors) {
      distances(context, {from.data + begin * x.step, nullptr, x.cols, x.step},
                {to.data + begin * y.step, nullptr, y.cols, y.step}, rows, factors, part,
                squares + begin);
    };
    nuclear_norms<T>(context, products, items, x.cols, y.cols, similarity,
                     refine ? visit : nullptr);
    const Gaps gaps{similarity,
                    refine ? squares : nullptr,
                    x.norms + (x.single() ? 0 : first),
                    y.norms + (y.single() ? 0 : first),
                    x.single() ? 0 : 1,
                    y.single() ? 0 : 1,
                    items,
                    refine ? kTooSmall<T> : 0};
    score_gaps(gaps, gap_score(options), scores + first, close, context.stream);
  }
}

template <class T>
std::vector<int64_t> prepared_columns(const std::vector<Matrix<T>>& items, int64_t rows,
                                      const ProcrustesOptions& options) {
  std::vector<int64_t> cols = columns_of(items);
  for (int64_t& width : cols) width = prepared_cols(rows, width, options);
  return cols;
}

// Prepared items of a list, one behind the other.
template <class T>
struct List {
  Layout layout;
  T* data;
  double* norms;

  List(const Context& context, const std::vector<Matrix<T>>& items, int64_t rows,
       const ProcrustesOptions& options, const ShapeFindings& found, int64_t first)
      : layout(rows, prepared_columns(items, rows, options)),
        data(context.temporary<T>(size_t(layout.size()))),
        norms(context.temporary<double>(items.size())) {
    for_each_batch(context, items, rows,
                   [&](const Context& inner, const T* batch, size_t k, int64_t count) {
                     prepare<T>(inner, batch, count, rows, items[k].cols, options,
                                data + layout.begin(int64_t(k)),
                                facts_of(found, norms + k, first + int64_t(k)));
                   });
  }
};

}  // namespace

template <class T>
void procrustes_scores(const Context& context, const std::vector<Matrix<T>>& a,
                       const std::vector<Matrix<T>>& b_given, int64_t rows, bool symmetric,
                       const ProcrustesOptions& options, const ShapeFindings& out) {
  const List<T> left(context, a, rows, options, out, 0);
  std::optional<List<T>> other;
  if (!symmetric) other.emplace(context, b_given, rows, options, out, int64_t(a.size()));
  const List<T>& right = symmetric ? left : *other;
  const int64_t width = right.layout.count();
  Scratch scratch(context);
  for_each_run(
      left.layout, right.layout, symmetric ? GridPart::upper_without_diagonal : GridPart::all,
      [&](int64_t i, int64_t j, int64_t count) {
        const int64_t step = count > 1 ? right.layout.size(j) : 0;
        score_run<T>(
            scratch, {left.data + left.layout.begin(i), left.norms + i, left.layout.cols(i), 0},
            {right.data + right.layout.begin(j), right.norms + j, right.layout.cols(j), step},
            count, rows, options, out.scores + i * width + j, out.close);
      });
  if (symmetric && width > 0) {
    mirror_scores(left.norms, width, gap_score(options), out.scores, context.stream);
  }
}

template <class T>
void procrustes_pairs(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                      int64_t rows, const ProcrustesOptions& options, const ShapeFindings& out) {
  if (count == 0) return;
  const auto run_of = [&](const Matrix<T>& side, int64_t first) {
    const int64_t cols = prepared_cols(rows, side.cols, options), size = rows * cols;
    T* const data = context.temporary<T>(size_t(count * size));
    double* const norms = context.temporary<double>(size_t(count));
    prepare<T>(context, side.data, count, rows, side.cols, options, data,
               facts_of(out, norms, first));
    return Run<T>{data, norms, cols, size};
  };
  const Run<T> from = run_of(x, 0), to = run_of(y, count);
  Scratch scratch(context);
  score_run(scratch, from, to, count, rows, options, out.scores, out.close);
}

LIKEWISE_INSTANTIATE(procrustes_scores);
LIKEWISE_INSTANTIATE(procrustes_pairs);

}  // namespace likewise::cuda

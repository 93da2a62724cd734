#include "cca/cuda/cca.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "arrays/cuda/gather.h"
#include "cca/cuda/variates.h"
#include "core/cuda/centred.h"
#include "core/cuda/grid.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/svd.h"
#include "procrustes/cuda/directions.h"

namespace likewise::cuda {
namespace {

// Canonical variates before they are turned to each other, in rows, of items of equal width.
struct Run {
  const double* variates;  // (width, rows)
  const double* loadings;  // (width, units): inner products with the units, if they are wanted
  const int64_t* ranks;
  int64_t width, units, rows;
  bool single;       // one item for all pairs
  int64_t row_step;  // from one variate to the next,
  int64_t step;      // and to the same one of the next pair

  int64_t loadings_step() const { return single ? 0 : width * units; }
  int64_t ranks_step() const { return single ? 0 : 1; }
  Run from(int64_t pair) const {
    Run run = *this;
    run.variates += pair * step;
    if (run.loadings) run.loadings += pair * loadings_step();
    run.ranks += pair * ranks_step();
    return run;
  }
};

// Where variates of items go.
struct Variates {
  double* variates;
  double* loadings;  // or null
  int64_t *ranks, *constant_units, *dropped;
};

void copy(const double* from, int64_t size, double* to, const Context& context) {
  check(cudaMemcpyAsync(to, from, size_t(size) * sizeof(double), cudaMemcpyDeviceToDevice,
                        context.stream),
        "copy");
}

// The leading components of `count` centred items (rows x cols).
void take_components(const Context& context, const Centred<double>& centred, int64_t count,
                     int64_t rows, int64_t cols, double variance, const Variates& out) {
  const JacobiSvd<double> svd = decompose<double>(context, centred.out, count, rows, cols);
  double* const kept = context.temporary<double>(size_t(count * svd.n));
  whiten_values(
      {svd.values, kept, out.ranks, out.constant_units, count, svd.n, rows, cols, 0, variance},
      context.stream);
  check(cudaMemsetAsync(out.dropped, 0, size_t(count) * sizeof(int64_t), context.stream), "set");
  copy(rows >= cols ? svd.columns : svd.right, count * svd.n * rows, out.variates, context);
  scale_rows<double>(out.variates, svd.values, count, svd.n, rows, context.stream);
}

// Of `count` items (rows x cols).
void prepare(const Context& context, const double* x, int64_t count, int64_t rows, int64_t cols,
             const CanonicalOptions& options, const Variates& out) {
  const Centred<double> centred{context.temporary<double>(size_t(count * rows * cols)),
                                context.temporary<double>(size_t(count)),
                                context.temporary<double>(size_t(count * cols)), out.constant_units,
                                context.temporary<double>(size_t(count * cols))};
  centre<double>(x, count, rows, cols, true, centred, context.stream);
  if (options.variance < 1) {
    return take_components(context, centred, count, rows, cols, options.variance, out);
  }
  const ItemDirections found =
      existing_directions(context, x, centred, count, rows, cols, true, {out.ranks, out.dropped});
  const int64_t width = found.width;
  if (options.regularization > 0) {
    const PrincipalAxes axes = principal_axes(context, found, centred.out, count, rows, cols);
    double* const kept = context.temporary<double>(size_t(count * width));
    whiten_values({axes.values, kept, nullptr, out.constant_units, count, width, rows, cols,
                   options.regularization, 1},
                  context.stream);
    return turn_directions(context, found, axes, axes.values, count, rows, out.variates);
  }
  copy(found.left, count * width * rows, out.variates, context);
  if (!out.loadings) return;
  copy(found.right, count * width * cols, out.loadings, context);
  scale_rows<double>(out.loadings, found.values, count, width, cols, context.stream);
  scale_columns(out.loadings, found.norms, false, count, width, cols, context.stream);
}

// Products of the variates of `count` pairs (x.width, y.width), in temporary memory.
double* multiply(const Context& context, const Run& x, const Run& y, int64_t count) {
  const int64_t size = x.width * y.width;
  double* const products = context.temporary<double>(size_t(count * size));
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, x.width, y.width,
               x.rows, 1.0, {x.variates, x.row_step, x.step}, {y.variates, y.row_step, y.step},
               {products, y.width, size}, count);
  return products;
}

PairRanks ranks_of(const Run& x, const Run& y, int64_t count) {
  return {x.ranks, y.ranks, x.ranks_step(), y.ranks_step(), count};
}

void score_some(const Context& context, const Run& x, const Run& y, int64_t count, bool weighted,
                double* scores) {
  const double* const products = multiply(context, x, y, count);
  if (!weighted) {
    double* const sums = context.temporary<double>(size_t(count));
    nuclear_norms<double>(context, products, count, x.width, y.width, sums);
    return mean_correlations(sums, ranks_of(x, y, count), scores, context.stream);
  }
  const JacobiSvd<double> svd = decompose<double>(context, products, count, x.width, y.width);
  const double* const left = x.width >= y.width ? svd.columns : svd.right;
  const int64_t size = svd.n * x.units;
  double* const projections = context.temporary<double>(size_t(count * size));
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, svd.n, x.units, x.width,
               1.0, {left, x.width, svd.n * x.width}, {x.loadings, x.units, x.loadings_step()},
               {projections, x.units, size}, count);
  weighted_correlations({svd.values, projections, svd.n, x.units}, ranks_of(x, y, count), scores,
                        context.stream);
}

// Calls body(context, x, y, first, count) for as many pairs at a time as fit.
template <class Body>
void for_each_chunk(Scratch& scratch, const Run& x, const Run& y, int64_t count, Body&& body) {
  const int64_t bytes = x.width * std::max(y.width, x.units) * int64_t(sizeof(double));
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / bytes, 1, count);
  for (int64_t first = 0; first < count; first += chunk) {
    body(scratch.next(), x.from(first), y.from(first), first, std::min(chunk, count - first));
  }
}

// Variates of the items of a list, one item behind the other.
class List {
 public:
  List(const Context& context, const std::vector<Matrix<double>>& items, int64_t rows,
       const CanonicalOptions& options, const CanonicalFindings& found)
      : layout(rows, widths_of(items, rows)), rows_(rows), units_(columns_of(items)) {
    int64_t total = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      loadings_begin_.push_back(total);
      total += layout.cols(int64_t(k)) * units_[k];
    }
    variates_ = context.temporary<double>(size_t(layout.size()));
    if (options.weighted) loadings_ = context.temporary<double>(size_t(total));
    ranks_ = context.temporary<int64_t>(items.size());
    for_each_batch(context, items, rows,
                   [&](const Context& inner, const double* data, size_t k, int64_t count) {
                     prepare(inner, data, count, rows, units_[k], options,
                             {variates_ + layout.begin(int64_t(k)),
                              loadings_ ? loadings_ + loadings_begin_[k] : nullptr, ranks_ + k,
                              found.constant_units + k, found.dropped + k});
                   });
  }

  // Items from k on, as wide as it, or item k for all pairs.
  Run run(int64_t k, bool single) const {
    return {variates_ + layout.begin(k),
            loadings_ ? loadings_ + loadings_begin_[size_t(k)] : nullptr,
            ranks_ + k,
            layout.cols(k),
            units_[size_t(k)],
            rows_,
            single,
            rows_,
            single ? 0 : layout.size(k)};
  }

  const Layout layout;

 private:
  static std::vector<int64_t> widths_of(const std::vector<Matrix<double>>& items, int64_t rows) {
    std::vector<int64_t> widths = columns_of(items);
    for (int64_t& width : widths) width = std::min(width, rows);
    return widths;
  }

  int64_t rows_;
  std::vector<int64_t> units_, loadings_begin_;
  double *variates_, *loadings_ = nullptr;
  int64_t* ranks_;
};

// Both sides of `count` pairs.
std::pair<Run, Run> prepare_pairs(const Context& context, const Matrix<double>& x,
                                  const Matrix<double>& y, int64_t count, int64_t rows,
                                  const CanonicalOptions& options, const CanonicalFindings& found) {
  const auto run_of = [&](const Matrix<double>& side, int64_t first, bool loadings) {
    const int64_t width = std::min(rows, side.cols);
    const Variates out{
        context.temporary<double>(size_t(count * width * rows)),
        loadings ? context.temporary<double>(size_t(count * width * side.cols)) : nullptr,
        context.temporary<int64_t>(size_t(count)), found.constant_units + first,
        found.dropped + first};
    prepare(context, side.data, count, rows, side.cols, options, out);
    return Run{out.variates, out.loadings, out.ranks, width,       side.cols,
               rows,         false,        rows,      width * rows};
  };
  return {run_of(x, 0, options.weighted), run_of(y, count, false)};
}

}  // namespace

void cca_scores(const Context& context, const std::vector<Matrix<double>>& a,
                const std::vector<Matrix<double>>& b, int64_t rows, bool symmetric,
                const CanonicalOptions& options, double* scores, const CanonicalFindings& found) {
  const List left(context, a, rows, options, found);
  std::optional<List> other;
  CanonicalOptions unweighted = options;
  unweighted.weighted = false;
  if (!symmetric) other.emplace(context, b, rows, unweighted, found.from(int64_t(a.size())));
  const List& right = symmetric ? left : *other;
  const int64_t width = right.layout.count();
  const bool half = symmetric && !options.weighted;
  Scratch scratch(context);
  for_each_run(
      left.layout, right.layout, half ? GridPart::upper : GridPart::all,
      [&](int64_t i, int64_t j, int64_t count) {
        for_each_chunk(
            scratch, left.run(i, true), right.run(j, false), count,
            [&](const Context& inner, const Run& x, const Run& y, int64_t first, int64_t some) {
              score_some(inner, x, y, some, options.weighted, scores + i * width + j + first);
            });
      });
  if (half) mirror_upper(scores, width, context.stream);
}

void cca_pairs(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
               int64_t count, int64_t rows, const CanonicalOptions& options, double* scores,
               const CanonicalFindings& found) {
  if (count == 0) return;
  const auto [left, right] = prepare_pairs(context, x, y, count, rows, options, found);
  Scratch scratch(context);
  for_each_chunk(
      scratch, left, right, count,
      [&](const Context& inner, const Run& a, const Run& b, int64_t first, int64_t some) {
        score_some(inner, a, b, some, options.weighted, scores + first);
      });
}

void cca_reordered(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                   int64_t rows, const int32_t* orders, int64_t count,
                   const CanonicalOptions& options, double* scores) {
  if (count == 0) return;
  auto [left, right] =
      prepare_pairs(context, x, y, 1, rows, options,
                    {context.temporary<int64_t>(2), context.temporary<int64_t>(2)});
  left.single = right.single = true;
  left.step = 0;
  const int64_t per_order = right.width * (rows + std::max(left.width, left.units));
  const int64_t fitting = kWorkBytes / (per_order * int64_t(sizeof(double)));
  const int64_t chunk = std::clamp<int64_t>(fitting, 1, count);
  Scratch scratch(context);
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t some = std::min(chunk, count - first);
    const Context& inner = scratch.next();
    double* const reordered = inner.temporary<double>(size_t(right.width * some * rows));
    gather_rows<double>({right.variates, right.width, 1}, rows, orders + first * rows, some * rows,
                        reordered, inner.stream);
    Run run = right;
    run.variates = reordered;
    run.row_step = some * rows;
    run.step = rows;
    score_some(inner, left, run, some, options.weighted, scores + first);
  }
}

void canonical_correlations(const Context& context, const Matrix<double>& x,
                            const Matrix<double>& y, int64_t count, int64_t rows,
                            const CanonicalOptions& options, double* out,
                            const CanonicalFindings& found) {
  if (count == 0) return;
  const auto [left, right] = prepare_pairs(context, x, y, count, rows, options, found);
  const int64_t wanted = std::min(x.cols, y.cols), size = std::min(left.width, right.width);
  Scratch scratch(context);
  for_each_chunk(
      scratch, left, right, count,
      [&](const Context& inner, const Run& a, const Run& b, int64_t first, int64_t some) {
        double* const values = inner.temporary<double>(size_t(some * size));
        svdvals<double>(inner, multiply(inner, a, b, some), some, a.width, b.width, values);
        leading_correlations(values, size, ranks_of(a, b, some), wanted, out + first * wanted,
                             inner.stream);
      });
}

}  // namespace likewise::cuda

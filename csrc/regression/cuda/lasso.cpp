#include "regression/cuda/lasso.h"

#include <algorithm>
#include <numeric>

#include "arrays/cuda/gather.h"
#include "assignment/cuda/match_kernels.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/gemm.h"
#include "regression/cuda/lasso_kernels.h"
#include "regression/cuda/ridge_kernels.h"

namespace likewise::cuda {
namespace {

double* doubles(const Context& context, int64_t size) {
  return context.temporary<double>(size_t(size));
}

// What all items of a call share, in device memory.
struct Setting {
  FoldShape shape;
  const int32_t *order, *places;
  const double *given, *descending;  // the penalties
  int64_t penalties;
  double tolerance;

  Setting(const Context& context, int64_t rows, const LassoPathsOptions& options)
      : shape{rows, options.folds},
        penalties(int64_t(options.penalties.size())),
        tolerance(options.tolerance) {
    std::vector<int32_t> by_size(options.penalties.size());
    std::iota(by_size.begin(), by_size.end(), 0);
    std::stable_sort(by_size.begin(), by_size.end(), [&](int32_t a, int32_t b) {
      return options.penalties[size_t(a)] > options.penalties[size_t(b)];
    });
    std::vector<double> sorted;
    for (const int32_t k : by_size) sorted.push_back(options.penalties[size_t(k)]);
    order = sent(context, options.order);
    places = sent(context, by_size);
    given = sent(context, options.penalties);
    descending = sent(context, sorted);
  }

 private:
  template <class T>
  static const T* sent(const Context& context, const std::vector<T>& values) {
    T* const out = context.temporary<T>(values.size());
    send_values(values.data(), int64_t(values.size()), out, context.stream);
    return out;
  }
};

// Moments of `models` pairs of matrices of this many rows.
LassoProblem moments_of(const Context& context, const Setting& s, int64_t models, int64_t rows,
                        const double* x, int64_t units, const double* y, int64_t targets) {
  double* const gram = doubles(context, models * units * units);
  double* const cross = doubles(context, models * targets * units);
  double* const squares = doubles(context, models * targets);
  const Matrices<const double> xs{x, units, rows * units}, ys{y, targets, rows * targets};
  BlasContext* const blas = blas_context(context.stream);
  gemm<double>(blas, BlasOp::transpose, BlasOp::none, units, units, rows, 1.0, xs, xs,
               {gram, units, units * units}, models);
  gemm<double>(blas, BlasOp::transpose, BlasOp::none, targets, units, rows, 1.0, ys, xs,
               {cross, units, targets * units}, models);
  column_squares(y, models, rows, targets, squares, context.stream);
  return {models,  targets,      units,    targets,     gram,       cross,
          squares, s.descending, s.places, s.penalties, s.tolerance};
}

// Calls body(context, part, work, first) for as many targets [first, ...) of the problem at a time
// as fit; `also` counts the doubles that the body needs for each target of a model.
template <class Body>
void for_each_part(const Context& context, const LassoProblem& whole, int64_t also, Body&& body) {
  const int64_t per_target = int64_t(sizeof(double)) * (5 * whole.units + also);
  const int64_t fitting = std::max<int64_t>(kWorkBytes / (per_target * whole.models), 1);
  Scratch scratch(context);
  for (int64_t first = 0; first < whole.targets; first += fitting) {
    const Context& inner = scratch.next();
    LassoProblem part = whole;
    part.count = std::min(fitting, whole.targets - first);
    part.cross += first * whole.units;
    part.squares += first;
    const int64_t problems = part.models * part.count;
    const LassoWork work{doubles(inner, problems * 4 * whole.units),
                         inner.temporary<int32_t>(size_t(problems * 2 * whole.units))};
    body(inner, part, work, first);
  }
}

// Items whose units have norm 1.
struct Items {
  int64_t count;
  const double *x, *y;
  Widths widths;
};

Items scaled(const Context& context, int64_t count, int64_t rows, const double* x, int64_t units,
             int64_t* constant_units, const double* y, int64_t targets, int64_t* constant_targets) {
  const auto side = [&](const double* from, int64_t cols, int64_t* constants) {
    double* const out = doubles(context, count * rows * cols);
    check(cudaMemsetAsync(constants, 0, size_t(count) * sizeof(int64_t), context.stream), "memset");
    unit_columns<double>(from, count, rows, cols, out, constants, 1, context.stream);
    return out;
  };
  const double* const xs = side(x, units, constant_units);
  const double* const ys = side(y, targets, constant_targets);
  return {count, xs, ys, {units, targets, constant_units, constant_targets}};
}

void fit(const Context& context, const Setting& s, const Items& items, const LassoFits& out,
         unsigned long long* missed) {
  const auto [units, targets, constant_units, constant_targets] = items.widths;
  const LassoProblem whole =
      moments_of(context, s, items.count, s.shape.rows, items.x, units, items.y, targets);
  for_each_part(
      context, whole, 0,
      [&](const Context& inner, const LassoProblem& part, const LassoWork& work, int64_t first) {
        const LassoFits fits{out.coefficients + first * units,
                             out.objective + first,
                             out.gap + first,
                             out.loss + first,
                             out.correlation + first,
                             out.used + first,
                             targets,
                             items.widths};
        solve_lasso(part, work, fits, missed, inner.stream);
      });
}

FoldParts split(const Context& context, const Setting& s, const double* x, int64_t items,
                int64_t cols) {
  const int64_t models = items * s.shape.folds;
  double* const ordered = doubles(context, items * s.shape.rows * cols);
  const FoldParts parts{doubles(context, models * s.shape.most_trained() * cols),
                        doubles(context, models * s.shape.most_left_out() * cols),
                        doubles(context, models * cols), doubles(context, models * cols)};
  gather_rows<double>({x, items, cols}, s.shape.rows, s.order, s.shape.rows, ordered,
                      context.stream);
  split_folds(ordered, items, s.shape, cols, true, parts, context.stream);
  scale_folds(parts, items, s.shape, cols, context.stream);
  return parts;
}

// Correlation and loss of predictions of what was left out.
void hold_out(const Context& context, const Setting& s, const Items& items, double* correlation,
              double* loss, unsigned long long* missed) {
  const int64_t units = items.widths.units, targets = items.widths.targets;
  const int64_t models = items.count * s.shape.folds, left = s.shape.most_left_out();
  const FoldParts xs = split(context, s, items.x, items.count, units);
  const FoldParts ys = split(context, s, items.y, items.count, targets);
  const LassoProblem whole =
      moments_of(context, s, models, s.shape.most_trained(), xs.train, units, ys.train, targets);
  for_each_part(
      context, whole, s.penalties * (units + left),
      [&](const Context& inner, const LassoProblem& part, const LassoWork& work, int64_t first) {
        const int64_t paths = s.penalties * part.count;
        double* const coefficients = doubles(inner, models * paths * units);
        double* const predictions = doubles(inner, models * left * paths);
        LassoFits fits{};
        fits.coefficients = coefficients;
        fits.step = part.count;
        solve_lasso(part, work, fits, missed, inner.stream);
        gemm<double>(blas_context(inner.stream), BlasOp::none, BlasOp::transpose, left, paths,
                     units, 1.0, {xs.left_out, units, left * units},
                     {coefficients, units, paths * units}, {predictions, paths, left * paths},
                     models);
        score_held_out({s.shape, items.count, s.penalties, first, part.count, predictions,
                        ys.left_out, items.widths},
                       correlation, loss, inner.stream);
      });
}

// Bytes that an item takes, without what its targets take in turn.
int64_t bytes_of(const Setting& s, int64_t units, int64_t targets) {
  const int64_t rows = s.shape.rows * (2 + s.shape.folds), models = 1 + s.shape.folds;
  return int64_t(sizeof(double)) * (rows + models * units) * (units + targets);
}

}  // namespace

void lasso_paths(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                 int64_t count, int64_t rows, const LassoPathsOptions& options,
                 const LassoFindings& out) {
  if (count == 0) return;
  const Setting s(context, rows, options);
  const int64_t folds = s.shape.folds, units = x.cols, targets = y.cols;
  const int64_t scores = s.penalties * targets;  // of an item
  auto* const missed = reinterpret_cast<unsigned long long*>(out.missed);
  check(
      cudaMemsetAsync(missed, 0, size_t(2 * count * (1 + folds)) * sizeof(int64_t), context.stream),
      "memset");
  copy_elements<double>({s.given, ElementType::float64, 2, {count, s.penalties}, {0, 1}},
                        out.alphas, context.stream);
  Scratch scratch(context);
  const int64_t fitting = std::max<int64_t>(kWorkBytes / bytes_of(s, units, targets), 1);
  const int64_t chunk = std::min({count, fitting, kMostModels / (1 + folds)});
  for (int64_t first = 0; first < count; first += chunk) {
    const Context& inner = scratch.next();
    const Items items =
        scaled(inner, std::min(chunk, count - first), rows, x.data + first * rows * units, units,
               out.constant_units + first, y.data + first * rows * targets, targets,
               out.constant_units + count + first);
    const int64_t at = first * scores;
    const LassoFits fits{
        out.coefficients + at * units, out.objective + at, out.gap + at, out.loss + at,
        out.correlation + at,          out.used + at,      targets,      items.widths};
    fit(inner, s, items, fits, missed + 2 * first);
    if (folds > 0) {
      hold_out(inner, s, items, fits.correlation, fits.loss, missed + 2 * (count + first * folds));
    }
    mean_over(fits.correlation, items.count * s.penalties, targets, 1,
              out.score + first * s.penalties, inner.stream);
  }
}

}  // namespace likewise::cuda

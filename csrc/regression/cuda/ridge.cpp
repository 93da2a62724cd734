#include "regression/cuda/ridge.h"

#include <algorithm>

#include "arrays/cuda/gather.h"
#include "core/cuda/centred.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"
#include "regression/cuda/ridge_kernels.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostModels = 65535;

// What all items of a call share, in device memory.
struct Setting {
  FoldShape shape;
  const int32_t* order;
  const double* alphas;
  int64_t count_alphas;
  bool relative, intercept;

  Setting(const Context& context, const RidgeOptions& options)
      : shape{int64_t(options.order.size()), options.folds},
        count_alphas(int64_t(options.alphas.size())),
        relative(options.relative),
        intercept(options.intercept) {
    int32_t* const to_order = context.temporary<int32_t>(options.order.size());
    double* const to_alphas = context.temporary<double>(options.alphas.size());
    send_values(options.order.data(), shape.rows, to_order, context.stream);
    send_values(options.alphas.data(), count_alphas, to_alphas, context.stream);
    order = to_order;
    alphas = to_alphas;
  }
};

// Models of sources: per item and fold the eigenvectors of the training Gram matrix in rows.
struct Models {
  int64_t items, cols, size;
  const double* basis;         // (items, folds, size, cols)
  const double* train;         // (items, folds, most_trained, cols)
  const double* rotated;       // (items, folds, held_rows, size): what was left out, in that basis
  const double* held_squares;  // (items, folds, size): of that
  Candidates candidates;
  const double* norms;  // (items)
  const int64_t* constant_units;
};

// Targets, their parts, and how many columns of each item are constant.
struct Targets {
  int64_t cols;
  FoldParts parts;
  const int64_t* constant_units;
};

int64_t bytes_of(const Setting& s, int64_t cols) {
  const int64_t rows = s.shape.rows + s.shape.folds, both = rows * s.shape.folds;
  return int64_t(sizeof(double)) * (both + rows) * cols;
}

double* doubles(const Context& context, int64_t size) {
  return context.temporary<double>(size_t(size));
}

FoldParts split(const Context& context, const Setting& s, const double* ordered, int64_t items,
                int64_t cols, bool of_targets) {
  const int64_t models = items * s.shape.folds;
  const FoldParts parts{doubles(context, models * s.shape.most_trained() * cols),
                        doubles(context, models * held_rows(s.shape) * cols),
                        of_targets ? doubles(context, models * cols) : nullptr,
                        of_targets ? doubles(context, models * cols) : nullptr, true};
  split_folds(ordered, items, s.shape, cols, s.intercept, parts, context.stream);
  return parts;
}

// grams (models, cols, cols) = train'train.
void multiply_train(const Context& context, const Setting& s, int64_t models, const double* train,
                    int64_t cols, double* grams) {
  const int64_t rows = s.shape.most_trained();
  const Matrices<const double> x{train, cols, rows * cols};
  gemm<double>(blas_context(context.stream), BlasOp::transpose, BlasOp::none, cols, cols, rows, 1.0,
               x, x, {grams, cols, cols * cols}, models);
}

// Eigenvectors in rows and eigenvalues of training Gram matrices, where they are known.
struct Eigen {
  double *basis = nullptr, *values = nullptr;

  Eigen from(int64_t model, int64_t cols) const {
    return basis ? Eigen{basis + model * cols * cols, values + model * cols} : Eigen{};
  }
};

// Eigenvectors in rows and eigenvalues of train'train: of that product, or of `train` itself where
// it has fewer rows than columns.
void decompose_models(const Context& context, const Setting& s, int64_t models, const double* train,
                      const Eigen& known, Models& out) {
  const int64_t rows = s.shape.most_trained(), cols = out.cols, size = out.size;
  const bool wide = size < cols;
  double* gram = nullptr;
  if (!wide && !known.basis) {
    gram = doubles(context, models * size * size);
    multiply_train(context, s, models, train, size, gram);
  }
  double* values = known.values;
  if (known.basis) {
    out.basis = known.basis;
  } else if (!wide && has_eigen(size)) {
    values = doubles(context, models * size);
    symmetric_eigen(context, gram, models, size, values, true, WithoutEigen::nan);
    out.basis = gram;
  } else {
    const JacobiSvd<double> svd =
        decompose<double>(context, wide ? train : gram, models, wide ? rows : size, cols);
    values = svd.values;
    out.basis = svd.columns;
  }
  int64_t* const ranks = context.temporary<int64_t>(size_t(models));
  double* const weak_from = doubles(context, models);
  keep_directions({values, models, size, cols, s.shape, s.intercept, wide, ranks, weak_from},
                  context.stream);
  out.candidates.values = values;
  out.candidates.weak_from = weak_from;
  out.candidates.ranks = ranks;
}

// Sources of unit norm, their norms, and what each fold makes of them.
struct Sources {
  const double* units;
  double* norms;
  FoldParts parts;
};
Sources prepare_sources(const Context& context, const Setting& s, const double* x, int64_t items,
                        int64_t cols, int64_t* constant_units) {
  const int64_t rows = s.shape.rows, total = items * rows * cols;
  const Centred<double> centred{doubles(context, total), doubles(context, items),
                                doubles(context, items * cols), constant_units,
                                doubles(context, items * cols)};
  double *const norms = doubles(context, items), *const ordered = doubles(context, total);
  if (s.intercept) {
    double* const moved = doubles(context, total);
    move_to_middle(x, items, rows, cols, moved, nullptr, context.stream);
    x = moved;
  }
  centre<double>(x, items, rows, cols, false, centred, context.stream);
  normalise<double>(centred, items, rows, cols, norms, context.stream);
  gather_rows<double>({centred.out, items, cols}, rows, s.order, rows, ordered, context.stream);
  return {centred.out, norms, split(context, s, ordered, items, cols, false)};
}

// The decompositions of `count` equally wide sources from x on, in one call: those of one source's
// folds alone would leave most of the device idle.
Eigen decompose_together(const Context& context, const Setting& s, const Matrix<double>* x,
                         int64_t count) {
  const int64_t cols = x->cols, folds = s.shape.folds, size = folds * cols * cols;
  const Eigen out{doubles(context, count * size), doubles(context, count * folds * cols)};
  Scratch scratch(context);
  for (int64_t k = 0; k < count; ++k) {
    const Context& inner = scratch.next();
    const Sources source =
        prepare_sources(inner, s, x[k].data, 1, cols, inner.temporary<int64_t>(1));
    multiply_train(inner, s, folds, source.parts.train, cols, out.basis + k * size);
  }
  symmetric_eigen(context, out.basis, count * folds, cols, out.values, true, WithoutEigen::nan);
  return out;
}

// How many sources from x on are decomposed together.
int64_t decomposed_together(const Setting& s, const Matrix<double>* x, int64_t count) {
  const int64_t cols = x->cols;
  if (cols > s.shape.most_trained() || !has_eigen(cols)) return 1;
  const int64_t fitting = kWorkBytes / (s.shape.folds * cols * cols * int64_t(sizeof(double)));
  int64_t run = 1;
  while (run < count && run < fitting && x[run].cols == cols) ++run;
  return run;
}

Models fit_models(const Context& context, const Setting& s, const double* x, int64_t items,
                  int64_t cols, int64_t* constant_units, const Eigen& known = {}) {
  const int64_t rows = s.shape.rows, models = items * s.shape.folds;
  const auto [units, norms, parts] = prepare_sources(context, s, x, items, cols, constant_units);
  Models out{};
  out.items = items;
  out.cols = cols;
  out.size = std::min(cols, s.shape.most_trained());
  out.train = parts.train;
  out.constant_units = constant_units;
  decompose_models(context, s, models, parts.train, known, out);
  const int64_t left = held_rows(s.shape);
  double* const rotated = doubles(context, models * left * out.size);
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, left, out.size, cols,
               1.0, {parts.left_out, cols, left * cols}, {out.basis, cols, out.size * cols},
               {rotated, out.size, left * out.size}, models);
  out.rotated = rotated;
  double* const held_squares = doubles(context, models * out.size);
  squares_of_held(rotated, models, s.shape, out.size, held_squares, context.stream);
  out.held_squares = held_squares;
  double* const means = s.intercept ? doubles(context, items * cols) : nullptr;
  if (means) mean_over(units, items, rows, cols, means, context.stream);
  double* const penalties = doubles(context, items * s.count_alphas);
  double* const in_units = doubles(context, items * s.count_alphas);
  scale_penalties({s.alphas, norms, means, constant_units, items, s.count_alphas, rows, cols,
                   s.relative, penalties, in_units},
                  context.stream);
  const Candidates& found = out.candidates;
  out.candidates =
      weigh_penalties(context, {s.shape, models, out.size, s.count_alphas, found.values,
                                found.ranks, found.weak_from, penalties, in_units});
  out.norms = norms;
  return out;
}

// Targets near 1 (`scaled`) or as they are.
Targets prepare_targets(const Context& context, const Setting& s, const double* y, int64_t items,
                        int64_t cols, bool scaled, int64_t* constant_units) {
  const int64_t total = items * s.shape.rows * cols;
  double* const ordered = doubles(context, total);
  const double* from = y;
  if (scaled) {
    double* const units = doubles(context, total);
    check(cudaMemsetAsync(constant_units, 0, size_t(items) * sizeof(int64_t), context.stream),
          "memset");
    move_to_middle(y, items, s.shape.rows, cols, units, constant_units, context.stream);
    from = units;
  }
  gather_rows<double>({from, items, cols}, s.shape.rows, s.order, s.shape.rows, ordered,
                      context.stream);
  return {cols, split(context, s, ordered, items, cols, true), constant_units};
}

// The moments of models with targets in the basis of the models.
Fit fit_targets(const Context& context, const Setting& s, const Models& m, const Targets& t) {
  const int64_t models = m.items * s.shape.folds, rows = s.shape.most_trained();
  BlasContext* const blas = blas_context(context.stream);
  double* const cross = doubles(context, models * m.cols * t.cols);
  double* const moments = doubles(context, models * m.size * t.cols);
  gemm<double>(blas, BlasOp::transpose, BlasOp::none, m.cols, t.cols, rows, 1.0,
               {m.train, m.cols, rows * m.cols}, {t.parts.train, t.cols, rows * t.cols},
               {cross, t.cols, m.cols * t.cols}, models);
  gemm<double>(blas, BlasOp::none, BlasOp::none, m.size, t.cols, m.cols, 1.0,
               {m.basis, m.cols, m.size * m.cols}, {cross, t.cols, m.cols * t.cols},
               {moments, t.cols, m.size * t.cols}, models);
  return {m.candidates, 1, t.cols, moments, t.parts.train_squares, m.held_squares};
}

// Predictions of what was left out, with these penalties or penalty `only`.
Held predict(const Context& context, const Setting& s, const Models& m, const Targets& t,
             const Fit& fit, const double* chosen, int64_t only, double* coefficients,
             double* predictions, double* terms) {
  const int64_t left = held_rows(s.shape);
  shrink(fit, chosen, only, coefficients, terms, context.stream);
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, left, t.cols, m.size, 1.0,
               {m.rotated, m.size, left * m.size}, {coefficients, t.cols, m.size * t.cols},
               {predictions, t.cols, left * t.cols}, m.items * s.shape.folds);
  return {s.shape, m.items, t.cols, predictions, t.parts.left_out, t.parts.squares, terms};
}

// Correlations, determination and chosen penalties (items, folds, t.cols).
struct Scores {
  double *correlation, *determination, *alpha;
};
void score(const Context& context, const Setting& s, const Models& m, const Targets& t,
           int64_t* choices, const Scores& out) {
  const Fit fit = fit_targets(context, s, m, t);
  const int64_t models = m.items * s.shape.folds;
  double* const chosen = doubles(context, models * t.cols);
  const Choice choice{
      chosen,           out.alpha,        reinterpret_cast<unsigned long long*>(choices),
      m.constant_units, t.constant_units, m.cols};
  choose_penalties(context, fit, choice);
  const Held held = predict(
      context, s, m, t, fit, chosen, 0, doubles(context, models * m.size * t.cols),
      doubles(context, models * held_rows(s.shape) * t.cols), doubles(context, models * t.cols));
  score_predictions(held, choice, out.correlation, out.determination, context.stream);
}

// Calls body(context, first, items) for as many items at a time as fit.
template <class Body>
void for_each_chunk(const Context& context, const Setting& s, int64_t count, int64_t cols,
                    Body&& body) {
  Scratch scratch(context);
  const int64_t fitting = std::max<int64_t>(kWorkBytes / (4 * bytes_of(s, cols)), 1);
  const int64_t chunk = std::min({count, fitting, kMostModels / s.shape.folds});
  for (int64_t first = 0; first < count; first += chunk) {
    body(scratch.next(), first, std::min(chunk, count - first));
  }
}

void clear(int64_t* choices, const Setting& s, const Context& context) {
  check(cudaMemsetAsync(choices, 0, size_t(s.count_alphas) * sizeof(int64_t), context.stream),
        "memset");
}

}  // namespace

void ridge_pairs(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                 int64_t count, const RidgeOptions& options, const RidgeFindings& out) {
  const Setting s(context, options);
  const int64_t rows = s.shape.rows, folds = s.shape.folds, per_pair = folds * y.cols;
  clear(out.choices, s, context);
  for_each_chunk(
      context, s, count, x.cols + y.cols, [&](const Context& inner, int64_t first, int64_t items) {
        const Models models = fit_models(inner, s, x.data + first * rows * x.cols, items, x.cols,
                                         out.constant_units + first);
        const Targets targets = prepare_targets(inner, s, y.data + first * rows * y.cols, items,
                                                y.cols, true, out.constant_units + count + first);
        double* const correlation = out.correlation + first * per_pair;
        double* const determination = doubles(inner, items * per_pair);
        double* const means = out.mean_correlation + first * y.cols;
        score(inner, s, models, targets, out.choices,
              {correlation, determination, out.alpha + first * per_pair});
        mean_over(correlation, items, folds, y.cols, means, inner.stream);
        mean_over(determination, items, folds, y.cols, out.determination + first * y.cols,
                  inner.stream);
        mean_over(means, items, y.cols, 1, out.score + first, inner.stream);
      });
}

void ridge_scores(const Context& context, const std::vector<Matrix<double>>& a,
                  const std::vector<Matrix<double>>& b_given, bool symmetric,
                  const RidgeOptions& options, double* scores, int64_t* constant_units,
                  int64_t* choices) {
  const Setting s(context, options);
  const std::vector<Matrix<double>>& b = symmetric ? a : b_given;
  int64_t* const constant_b =
      symmetric ? context.temporary<int64_t>(b.size()) : constant_units + a.size();
  clear(choices, s, context);
  const auto targets_of = [&](const Context& where, size_t j) {
    return prepare_targets(where, s, b[j].data, 1, b[j].cols, true, constant_b + j);
  };
  std::vector<Targets> kept;  // of the first ones, as many as fit; others are made for each source
  for (int64_t bytes = 0; a.size() > 1 && kept.size() < b.size();) {
    bytes += bytes_of(s, b[kept.size()].cols);
    if (bytes > kWorkBytes) break;
    kept.push_back(targets_of(context, kept.size()));
  }
  Scratch of_run(context), of_source(context), of_target(context);
  for (size_t first = 0, count = 0; first < a.size(); first += count) {
    const int64_t folds = s.shape.folds, cols = a[first].cols;
    count = size_t(decomposed_together(s, &a[first], int64_t(a.size() - first)));
    const Eigen known =
        count > 1 ? decompose_together(of_run.next(), s, &a[first], int64_t(count)) : Eigen{};
    for (size_t i = first; i < first + count; ++i) {
      const Models models = fit_models(of_source.next(), s, a[i].data, 1, cols, constant_units + i,
                                       known.from(int64_t(i - first) * folds, cols));
      for (size_t j = 0; j < b.size(); ++j) {
        const Context& inner = of_target.next();
        const Targets targets = j < kept.size() ? kept[j] : targets_of(inner, j);
        const int64_t size = folds * b[j].cols;
        const Scores found{doubles(inner, size), doubles(inner, size), doubles(inner, size)};
        score(inner, s, models, targets, choices, found);
        mean_over(found.correlation, 1, size, 1, scores + i * b.size() + j, inner.stream);
      }
    }
  }
}

void ridge_errors(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                  int64_t count, const RidgeOptions& options, double* errors, double* alphas,
                  int64_t* constant_units) {
  const Setting s(context, options);
  const int64_t rows = s.shape.rows;
  for_each_chunk(
      context, s, count, x.cols + y.cols, [&](const Context& inner, int64_t first, int64_t items) {
        const Models models = fit_models(inner, s, x.data + first * rows * x.cols, items, x.cols,
                                         constant_units + first);
        const Targets targets = prepare_targets(inner, s, y.data + first * rows * y.cols, items,
                                                y.cols, false, nullptr);
        check(cudaMemcpyAsync(alphas + first * s.count_alphas, models.candidates.in_units,
                              size_t(items * s.count_alphas) * sizeof(double),
                              cudaMemcpyDeviceToDevice, inner.stream),
              "copy");
        const Fit fit = fit_targets(inner, s, models, targets);
        const int64_t number = items * s.shape.folds;
        double* const coefficients = doubles(inner, number * models.size * y.cols);
        double* const predictions = doubles(inner, number * held_rows(s.shape) * y.cols);
        for (int64_t a = 0; a < s.count_alphas; ++a) {
          const Held held = predict(inner, s, models, targets, fit, nullptr, a, coefficients,
                                    predictions, nullptr);
          average_errors(held, errors + (first * s.count_alphas + a) * y.cols,
                         s.count_alphas * y.cols, inner.stream);
        }
      });
}

}  // namespace likewise::cuda

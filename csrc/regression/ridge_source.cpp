#include "regression/ridge_source.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr double kCloseGap = 1.0 / 256;  // relative; a sum over pairs loses 8 bits at most
constexpr double kMostClose = 1.0 / 16;  // of rank^2: above, a product per penalty costs less

template <class T>
void add_rows(const Item<T>& item, int64_t begin, int64_t end, double* sum) {
  for (int64_t i = begin; i < end; ++i) {
    const T* row = item.data + i * item.cols;
    for (int64_t j = 0; j < item.cols; ++j) sum[j] += double(row[j]);
  }
}

// gram -= sum sum' / count, the lower triangle.
void centre_gram(int64_t cols, const double* sum, int64_t count, double* gram) {
  for (int64_t i = 0; i < cols; ++i) {
    const double mean = sum[i] / double(count);
    for (int64_t j = 0; j <= i; ++j) gram[i * cols + j] -= mean * sum[j];
  }
}

// Eigenpairs whose eigenvalue rounding cannot have made.
template <class T>
void keep_directions(int64_t cols, const std::vector<double>& vectors,
                     const std::vector<double>& values, RidgeModel<T>& model) {
  const double least = double(cols) * std::numeric_limits<double>::epsilon() * values[cols - 1];
  const int64_t first =
      std::upper_bound(values.begin(), values.end(), std::max(least, 0.0)) - values.begin();
  model.rank = cols - first;
  model.values.assign(values.begin() + first, values.end());
  model.basis.assign(vectors.begin() + first * cols, vectors.end());
}

template <class T>
void rotate_fold(int64_t cols, const std::vector<double>& gram, RidgeModel<T>& model) {
  const int64_t rank = model.rank;
  const std::vector<T> symmetric(gram.begin(), gram.end());
  std::vector<T> half(size_t(rank * cols));
  gemm<T>(Op::none, Op::none, rank, cols, cols, T(1), model.basis.data(), cols, symmetric.data(),
          cols, T(0), half.data(), cols);
  std::vector<T>& out = model.fold_gram;
  out.resize(size_t(rank * rank));
  gemm<T>(Op::none, Op::transpose, rank, rank, cols, T(1), half.data(), cols, model.basis.data(),
          cols, T(0), out.data(), rank);
  for (int64_t i = 0; i < rank; ++i) {
    for (int64_t j = 0; j < i; ++j) out[i * rank + j] *= 2;
    std::fill_n(&out[i * rank + i] + 1, rank - i - 1, T(0));
  }
}

}  // namespace

template <class T>
FoldMoments fold_moments(const Item<T>& source, const Folds& folds, int64_t fold) {
  const int64_t cols = source.cols;
  const Item<T> rows = source.block(folds.edges[fold], 0, cols);
  ProductWorkspace<T, double> workspace;
  product(rows, rows, folds.size(fold), workspace);
  FoldMoments out{std::move(workspace.product), std::vector<double>(size_t(cols), 0.0)};
  if (folds.intercept) add_rows(source, folds.edges[fold], folds.edges[fold + 1], out.sum.data());
  return out;
}

template <class T>
bool ridge_model(const std::vector<FoldMoments>& moments, const Folds& folds, int64_t fold,
                 RidgeModel<T>& model) {
  const int64_t cols = int64_t(moments[0].sum.size());
  if (cols == 0) return true;  // a constant source predicts means
  const int64_t left_out = folds.size(fold), trained = folds.rows() - left_out;
  std::vector<double> gram(size_t(cols * cols), 0.0), sum(size_t(cols), 0.0);
  std::vector<double> values(size_t(cols), 0.0);
  for (int64_t f = 0; f < folds.count(); ++f) {
    if (f == fold) continue;
    for (size_t k = 0; k < gram.size(); ++k) gram[k] += moments[f].gram[k];
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += moments[f].sum[j];
  }
  centre_gram(cols, sum.data(), trained, gram.data());
  poll_interrupt();
  if (!symmetric_eigen(cols, gram.data(), cols, values.data(), true)) return false;
  keep_directions(cols, gram, values, model);

  gram = moments[fold].gram;
  centre_gram(cols, moments[fold].sum.data(), left_out, gram.data());
  symmetrize(cols, gram.data(), cols);
  rotate_fold(cols, gram, model);
  model.train_mean.resize(size_t(cols));
  for (int64_t j = 0; j < cols; ++j) model.train_mean[j] = sum[j] / double(trained);
  model.shift.assign(size_t(model.rank), 0.0);
  for (int64_t k = 0; k < model.rank; ++k) {
    for (int64_t j = 0; j < cols; ++j) {
      model.shift[k] += double(model.basis[k * cols + j]) *
                        (moments[fold].sum[j] / double(left_out) - model.train_mean[j]);
    }
  }
  return true;
}

template <class T>
void divide_by_gaps(RidgeModel<T>& model) {
  const int64_t rank = model.rank;
  GapForm& out = model.gaps;
  out.close.clear();
  out.divided.assign(size_t(rank * rank), 0.0);
  for (int64_t i = 0; i < rank; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const double twice = double(model.fold_gram[i * rank + j]);
      const double gap = model.values[i] - model.values[j];  // ascending
      if (gap <= kCloseGap * model.values[i]) {
        out.close.push_back({int32_t(i), int32_t(j), twice});
      } else {
        out.divided[j * rank + i] = twice / (2 * gap);
        out.divided[i * rank + j] = -out.divided[j * rank + i];
      }
    }
  }
  if (double(out.close.size()) > kMostClose * double(rank) * double(rank)) out = {};
}

#define LIKEWISE_INSTANTIATE(T)                                                        \
  template FoldMoments fold_moments<T>(const Item<T>&, const Folds&, int64_t);         \
  template bool ridge_model<T>(const std::vector<FoldMoments>&, const Folds&, int64_t, \
                               RidgeModel<T>&);                                        \
  template void divide_by_gaps<T>(RidgeModel<T>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

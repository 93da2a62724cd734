#include "regression/ridge_source.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/parallel.h"
#include "linalg/linalg.h"
#include "regression/rounding.h"

namespace likewise {
namespace {

constexpr double kCloseGap = 1.0 / 256;  // relative; a sum over pairs loses 8 bits at most
constexpr double kMostClose = 1.0 / 16;  // of rank^2: above, a product per penalty costs less

// All directions in which the training set may vary.
void keep_directions(int64_t cols, int64_t most, const std::vector<double>& vectors,
                     const std::vector<double>& values, RidgeModel& model) {
  const double largest = values[cols - 1];
  model.rank = largest > 0 ? std::min(cols, most) : 0;
  const int64_t first = cols - model.rank;
  const double least = double(cols) * std::numeric_limits<double>::epsilon() * largest;
  model.values.assign(values.begin() + first, values.end());
  for (double& value : model.values) value = std::max(value, 0.0);
  model.strong =
      std::upper_bound(model.values.begin(), model.values.end(), least) - model.values.begin();
  model.weak_from = kWeakPenalty * largest;
  model.basis.assign(vectors.begin() + first * cols, vectors.end());
}

void rotate_fold(int64_t cols, const std::vector<double>& gram, RidgeModel& model) {
  const int64_t rank = model.rank;
  std::vector<double> half(size_t(rank * cols));
  gemm<double>(Op::none, Op::none, rank, cols, cols, 1.0, model.basis.data(), cols, gram.data(),
               cols, 0.0, half.data(), cols);
  std::vector<double>& out = model.fold_gram;
  out.resize(size_t(rank * rank));
  gemm<double>(Op::none, Op::transpose, rank, rank, cols, 1.0, half.data(), cols,
               model.basis.data(), cols, 0.0, out.data(), rank);
  for (int64_t i = 0; i < rank; ++i) {
    for (int64_t j = 0; j < i; ++j) out[i * rank + j] *= 2;
    std::fill_n(&out[i * rank + i] + 1, rank - i - 1, 0.0);
  }
}

}  // namespace

std::vector<double> fold_mean(const Item<double>& item, const Folds& folds, int64_t fold) {
  std::vector<double> mean(size_t(item.cols), 0.0);
  if (!folds.intercept) return mean;
  for (int64_t i = folds.edges[fold]; i < folds.edges[fold + 1]; ++i) {
    const double* row = item.data + i * item.cols;
    for (int64_t j = 0; j < item.cols; ++j) mean[j] += row[j];
  }
  for (double& m : mean) m /= double(folds.size(fold));
  return mean;
}

Item<double> centred_fold(const Item<double>& item, const Folds& folds, int64_t fold,
                          const double* mean, int64_t first, int64_t cols) {
  const double* from = item.data + folds.edges[fold] * item.cols + first;
  const int64_t step = item.cols;
  mean += first;
  return {nullptr, cols, [=](int64_t row, int64_t count, double* out, int64_t ld) {
            for (int64_t i = row; i < row + count; ++i, out += ld) {
              for (int64_t j = 0; j < cols; ++j) out[j] = from[i * step + j] - mean[j];
            }
          }};
}

FoldMoments fold_moments(const Item<double>& source, const Folds& folds, int64_t fold) {
  FoldMoments out{{}, fold_mean(source, folds, fold)};
  const Item<double> rows = centred_fold(source, folds, fold, out.mean.data(), 0, source.cols);
  ProductWorkspace<double> workspace;
  product(rows, rows, folds.size(fold), workspace);
  out.gram = std::move(workspace.product);
  return out;
}

bool ridge_model(const std::vector<FoldMoments>& moments, const Folds& folds, int64_t fold,
                 RidgeModel& model) {
  const int64_t cols = int64_t(moments[0].mean.size());
  if (cols == 0) return true;  // a constant source predicts means
  const int64_t trained = folds.rows() - folds.size(fold);
  const size_t size = size_t(cols);
  std::vector<double> gram(size * size, 0.0), away(size, 0.0), values(size, 0.0);
  model.train_mean.assign(size, 0.0);
  for (int64_t f = 0; f < folds.count(); ++f) {
    if (f == fold) continue;
    const double share = double(folds.size(f)) / double(trained);
    for (int64_t j = 0; j < cols; ++j) model.train_mean[j] += share * moments[f].mean[j];
  }
  for (int64_t f = 0; f < folds.count(); ++f) {
    if (f == fold) continue;
    for (int64_t j = 0; j < cols; ++j) away[j] = moments[f].mean[j] - model.train_mean[j];
    for (int64_t i = 0; i < cols; ++i) {
      const double scaled = double(folds.size(f)) * away[i];
      const double* from = &moments[f].gram[i * cols];
      double* to = &gram[i * cols];
      for (int64_t j = 0; j <= i; ++j) to[j] += from[j] + scaled * away[j];
    }
  }
  poll_interrupt();
  if (!symmetric_eigen(cols, gram.data(), cols, values.data(), true)) return false;
  keep_directions(cols, trained - int64_t(folds.intercept), gram, values, model);
  rotate_fold(cols, moments[fold].gram, model);
  for (int64_t j = 0; j < cols; ++j) away[j] = moments[fold].mean[j] - model.train_mean[j];
  model.shift.assign(size_t(model.rank), 0.0);
  for (int64_t k = 0; k < model.rank; ++k) {
    for (int64_t j = 0; j < cols; ++j) model.shift[k] += model.basis[k * cols + j] * away[j];
  }
  return true;
}

void divide_by_gaps(RidgeModel& model) {
  const int64_t rank = model.rank;
  GapForm& out = model.gaps;
  out.close.clear();
  out.divided.assign(size_t(rank * rank), 0.0);
  for (int64_t i = 0; i < rank; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const double twice = double(model.fold_gram[i * rank + j]);
      const double gap = model.values[i] - model.values[j];  // ascending
      if (j < model.strong || gap <= kCloseGap * model.values[i]) {
        out.close.push_back({int32_t(i), int32_t(j), twice});
      } else {
        out.divided[j * rank + i] = twice / (2 * gap);
        out.divided[i * rank + j] = -out.divided[j * rank + i];
      }
    }
  }
  if (double(out.close.size()) > kMostClose * double(rank) * double(rank)) out = {};
}

}  // namespace likewise

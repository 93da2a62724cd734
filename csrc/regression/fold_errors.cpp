#include "regression/fold_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kQuadraticRows = 96;  // of a triangle that are multiplied together
constexpr int64_t kCloseRows = 256;     // pairs of close eigenvalues that are

}  // namespace

template <class T>
TargetSums target_sums(const Item<T>& target, const Folds& folds) {
  const int64_t cols = target.cols;
  const size_t size = size_t(folds.count() * cols);
  TargetSums out;
  out.sum.assign(size, 0.0);
  out.squares.assign(size, 0.0);
  out.low.assign(size, std::numeric_limits<double>::infinity());
  out.high.assign(size, -std::numeric_limits<double>::infinity());
  for (int64_t f = 0; f < folds.count(); ++f) {
    const int64_t first = f * cols;
    for (int64_t i = folds.edges[f]; i < folds.edges[f + 1]; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        const double value = double(target.data[i * cols + j]);
        if (folds.intercept) out.sum[first + j] += value;
        out.squares[first + j] += value * value;
        out.low[first + j] = std::min(out.low[first + j], value);
        out.high[first + j] = std::max(out.high[first + j], value);
      }
    }
  }
  return out;
}

template <class T>
void fill_block(const Item<T>& source, const Item<T>& target, const Folds& folds, int64_t first,
                ProductWorkspace<T, double>& workspace, TargetBlock& block) {
  block.first = first;
  block.cols = std::min(kTargetColumns, target.cols - first);
  block.cross.resize(size_t(folds.count()));
  for (int64_t f = 0; f < folds.count(); ++f) {
    product(source.block(folds.edges[f], 0, source.cols),
            target.block(folds.edges[f], first, block.cols), folds.size(f), workspace);
    std::swap(block.cross[f], workspace.product);  // no copy, and no fresh pages in the long run
  }
}

template <class T>
void FoldErrors<T>::prepare(const RidgeModel<T>& model, const std::vector<FoldMoments>& moments,
                            const Folds& folds, int64_t fold, const TargetBlock& block,
                            const TargetSums& sums, int64_t target_cols) {
  const int64_t cols = cols_ = block.cols, dimension = int64_t(model.train_mean.size());
  const double left_out = left_out_ = double(folds.size(fold));
  const double trained = double(folds.rows()) - left_out;
  model_ = &model;
  freedom_ = trained - double(folds.intercept) - double(model.rank);

  std::vector<double> train_mean(size_t(cols), 0.0);
  std::vector<char> flat(static_cast<size_t>(cols));  // constant in the training set
  for (auto* v : {&train_squares_, &squares_, &mean_difference_}) v->assign(size_t(cols), 0.0);
  constant_.assign(size_t(cols), 0);
  for (int64_t t = 0; t < cols; ++t) {
    double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0;
    for (int64_t f = 0; f < folds.count(); ++f) {
      if (f == fold) continue;
      const int64_t k = f * target_cols + block.first + t;
      low = std::min(low, sums.low[k]);
      high = std::max(high, sums.high[k]);
      sum += sums.sum[k];
      train_squares_[t] += sums.squares[k];
    }
    const int64_t k = fold * target_cols + block.first + t;
    flat[t] = folds.intercept && low == high;  // a line through the origin may fit it
    constant_[t] = sums.low[k] == sums.high[k];
    train_mean[t] = sum / trained;
    train_squares_[t] -= sum * train_mean[t];
    squares_[t] = sums.squares[k] - sums.sum[k] * (sums.sum[k] / left_out);
    mean_difference_[t] = sums.sum[k] / left_out - train_mean[t];
  }

  cross_.resize(size_t(dimension * 2 * cols));
  std::vector<double> total(static_cast<size_t>(cols));
  for (int64_t i = 0; i < dimension; ++i) {
    std::fill(total.begin(), total.end(), 0.0);
    for (int64_t f = 0; f < folds.count(); ++f) {
      if (f == fold) continue;
      for (int64_t t = 0; t < cols; ++t) total[t] += block.cross[f][i * cols + t];
    }
    const double train_sum = model.train_mean[i] * trained, fold_sum = moments[fold].sum[i];
    const double* left = &block.cross[fold][i * cols];
    T* out = &cross_[i * 2 * cols];
    for (int64_t t = 0; t < cols; ++t) {
      const double fold_mean = mean_difference_[t] + train_mean[t];
      out[t] = flat[t] ? T(0) : T(total[t] - train_sum * train_mean[t]);
      out[cols + t] = T(left[t] - fold_sum * fold_mean);
    }
  }
  rotated_.resize(size_t(model.rank * 2 * cols));
  gemm<T>(Op::none, Op::none, model.rank, 2 * cols, dimension, T(1), model.basis.data(), dimension,
          cross_.data(), 2 * cols, T(0), rotated_.data(), 2 * cols);
}

template <class T>
void FoldErrors<T>::choose(const std::vector<double>& penalties, int32_t* choice) {
  const int64_t rank = model_->rank, cols = cols_, count = int64_t(penalties.size());
  // energy: squared components of y along the left singular vectors of X.
  energy_.resize(size_t(rank * cols));
  unexplained_ = train_squares_;
  for (int64_t k = 0; k < rank; ++k) {
    const T* b = against_train(k);
    const double scale = 1 / model_->values[k];
    for (int64_t t = 0; t < cols; ++t) {
      const double energy = double(b[t]) * double(b[t]) * scale;
      unexplained_[t] -= energy;
      energy_[k * cols + t] = T(energy);
    }
  }
  // Exactly zero where the model can fit any target; elsewhere rounding must not go below.
  for (double& u : unexplained_) u = freedom_ > 0 ? std::max(u, 0.0) : 0;
  filter_.resize(size_t(count * rank));
  std::vector<double> freedom(size_t(count), freedom_);
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t k = 0; k < rank; ++k) {
      const double kept = penalties[a] / (model_->values[k] + penalties[a]);
      freedom[a] += kept;
      filter_[a * rank + k] = T(kept * kept);
    }
  }
  residual_.assign(size_t(count * cols), T(0));
  if (rank > 0) {
    gemm<T>(Op::none, Op::none, count, cols, rank, T(1), filter_.data(), rank, energy_.data(), cols,
            T(0), residual_.data(), cols);
  }
  for (int64_t t = 0; t < cols; ++t) {
    double best = std::numeric_limits<double>::infinity();
    choice[t] = 0;
    for (int64_t a = 0; a < count; ++a) {
      const double residual = double(residual_[a * cols + t]) + unexplained_[t];
      const double score = residual / (freedom[a] * freedom[a]);
      if (score < best) {
        best = score;
        choice[t] = int32_t(a);
      }
    }
  }
}

template <class T>
void FoldErrors<T>::solve(const std::vector<double>& penalties, const int32_t* choice) {
  coefficients_.resize(size_t(model_->rank * cols_));
  for (int64_t k = 0; k < model_->rank; ++k) {
    const T* b = against_train(k);
    for (int64_t t = 0; t < cols_; ++t) {
      coefficients_[k * cols_ + t] = T(double(b[t]) / (model_->values[k] + penalties[choice[t]]));
    }
  }
  evaluate();
}

template <class T>
void FoldErrors<T>::solve(double penalty) {
  coefficients_.resize(size_t(model_->rank * cols_));
  for (int64_t k = 0; k < model_->rank; ++k) {
    const T* b = against_train(k);
    const T scale = T(1 / (model_->values[k] + penalty));
    for (int64_t t = 0; t < cols_; ++t) coefficients_[k * cols_ + t] = b[t] * scale;
  }
  evaluate();
}

// Inner products of prediction and target, squares of the prediction, and its mean shift.
template <class T>
void FoldErrors<T>::evaluate() {
  const int64_t rank = model_->rank, cols = cols_;
  for (auto* v : {&inner_, &quadratic_, &shifted_}) v->assign(size_t(cols), 0.0);
  product_.resize(size_t(kQuadraticRows * cols));
  for (int64_t row = 0; row < rank; row += kQuadraticRows) {
    const int64_t count = std::min(kQuadraticRows, rank - row);
    gemm<T>(Op::none, Op::none, count, cols, row + count, T(1), &model_->fold_gram[row * rank],
            rank, coefficients_.data(), cols, T(0), product_.data(), cols);
    for (int64_t i = 0; i < count; ++i) {
      const T* c = &coefficients_[(row + i) * cols];
      const T* p = &product_[i * cols];
      const T* q = against_fold(row + i);
      const double shift = model_->shift[row + i];
      for (int64_t t = 0; t < cols; ++t) {
        quadratic_[t] += double(c[t] * p[t]);
        inner_[t] += double(c[t] * q[t]);
        shifted_[t] += double(c[t]) * shift;
      }
    }
    poll_interrupt();
  }
}

// As functions of g_k = 1 / (w_k + a), squared errors are linear in g_k, g_k^2 and the g_k g_l of
// close pairs: coefficients of all columns, times the powers of all penalties.
template <class T>
void FoldErrors<T>::squared_errors(const std::vector<double>& penalties, double* out) {
  const int64_t rank = model_->rank, cols = cols_, count = int64_t(penalties.size());
  const GapForm& gaps = model_->gaps;
  if (gaps.divided.empty()) {
    for (int64_t a = 0; a < count; ++a) {
      solve(penalties[a]);
      for (int64_t t = 0; t < cols; ++t) out[a * cols + t] = squared_error(t);
    }
    return;
  }
  along_.resize(size_t(rank * cols));
  for (int64_t k = 0; k < rank; ++k) std::copy_n(against_train(k), cols, &along_[k * cols]);
  linear_.resize(size_t(rank * cols));
  gemm<double>(Op::none, Op::none, rank, cols, rank, 2.0, gaps.divided.data(), rank, along_.data(),
               cols, 0.0, linear_.data(), cols);
  poll_interrupt();
  square_.resize(size_t(rank * cols));
  for (int64_t k = 0; k < rank; ++k) {
    const double diagonal = double(model_->fold_gram[k * rank + k]);
    const double* b = &along_[k * cols];
    const T* q = against_fold(k);
    double* linear = &linear_[k * cols];
    double* square = &square_[k * cols];
    for (int64_t t = 0; t < cols; ++t) {
      linear[t] = b[t] * (linear[t] - 2 * double(q[t]));
      square[t] = b[t] * b[t] * diagonal;
    }
  }

  shrinkage_.resize(size_t(count * rank));
  weights_.resize(size_t(count * std::max(rank, kCloseRows)));
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t k = 0; k < rank; ++k) {
      shrinkage_[a * rank + k] = 1 / (model_->values[k] + penalties[a]);
    }
  }
  const auto multiply = [&](int64_t rows, const double* weights, int64_t ld, const double* terms,
                            double keep, double* to) {
    gemm<double>(Op::none, Op::none, count, cols, rows, 1.0, weights, ld, terms, cols, keep, to,
                 cols);
  };
  multiply(rank, shrinkage_.data(), rank, linear_.data(), 0, out);
  for (size_t k = 0; k < shrinkage_.size(); ++k) weights_[k] = shrinkage_[k] * shrinkage_[k];
  multiply(rank, weights_.data(), rank, square_.data(), 1, out);
  for (size_t first = 0; first < gaps.close.size(); first += kCloseRows) {
    const int64_t rows = std::min(kCloseRows, int64_t(gaps.close.size() - first));
    square_.resize(size_t(std::max(rank, kCloseRows) * cols));
    for (int64_t r = 0; r < rows; ++r) {
      const auto& [i, j, twice] = gaps.close[first + r];
      for (int64_t t = 0; t < cols; ++t) {
        square_[r * cols + t] = twice * along_[i * cols + t] * along_[j * cols + t];
      }
      for (int64_t a = 0; a < count; ++a) {
        weights_[a * rows + r] = shrinkage_[a * rank + i] * shrinkage_[a * rank + j];
      }
    }
    multiply(rows, weights_.data(), rows, square_.data(), 1, out);
  }

  for (int64_t a = 0; a < count; ++a) {
    for (int64_t k = 0; k < rank; ++k) {
      weights_[a * rank + k] = shrinkage_[a * rank + k] * model_->shift[k];
    }
  }
  shifts_.resize(size_t(count * cols));
  multiply(rank, weights_.data(), rank, along_.data(), 0, shifts_.data());
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t t = 0; t < cols; ++t) {
      double& error = out[a * cols + t];
      error = total_error(t, error, shifts_[a * cols + t]);
    }
  }
}

template <class T>
double FoldErrors<T>::squared_error(int64_t t) const {
  return total_error(t, quadratic_[t] - 2 * inner_[t], shifted_[t]);
}

// `fitted`: |prediction|^2 - 2 <prediction, target> about the fold's means.
template <class T>
double FoldErrors<T>::total_error(int64_t t, double fitted, double shifted) const {
  const double shift = mean_difference_[t] - shifted;
  return std::max(squares_[t] + fitted, 0.0) + left_out_ * shift * shift;
}

template <class T>
double FoldErrors<T>::correlation(int64_t t) const {
  if (constant_[t] || quadratic_[t] <= 0) return 0;
  return std::clamp(inner_[t] / std::sqrt(quadratic_[t] * squares_[t]), -1.0, 1.0);
}

#define LIKEWISE_INSTANTIATE(T)                                                      \
  template TargetSums target_sums<T>(const Item<T>&, const Folds&);                  \
  template void fill_block<T>(const Item<T>&, const Item<T>&, const Folds&, int64_t, \
                              ProductWorkspace<T, double>&, TargetBlock&);           \
  template class FoldErrors<T>;
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

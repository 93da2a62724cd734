#include "regression/fold_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/parallel.h"
#include "linalg/linalg.h"
#include "regression/rounding.h"

namespace likewise {
namespace {

constexpr int64_t kQuadraticRows = 96;  // of a triangle that are multiplied together
constexpr int64_t kCloseRows = 256;     // pairs of close eigenvalues that are

}  // namespace

TargetSums target_sums(const Item<double>& target, const Folds& folds) {
  const int64_t cols = target.cols;
  const size_t size = size_t(folds.count() * cols);
  TargetSums out;
  out.squares.assign(size, 0.0);
  out.low.assign(size, std::numeric_limits<double>::infinity());
  out.high.assign(size, -std::numeric_limits<double>::infinity());
  for (int64_t f = 0; f < folds.count(); ++f) {
    const std::vector<double> mean = fold_mean(target, folds, f);
    const int64_t first = f * cols;
    for (int64_t i = folds.edges[f]; i < folds.edges[f + 1]; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        const double value = target.data[i * cols + j], away = value - mean[j];
        out.squares[first + j] += away * away;
        out.low[first + j] = std::min(out.low[first + j], value);
        out.high[first + j] = std::max(out.high[first + j], value);
      }
    }
    out.mean.insert(out.mean.end(), mean.begin(), mean.end());
  }
  return out;
}

void fill_block(const Item<double>& source, const std::vector<FoldMoments>& moments,
                const Item<double>& target, const TargetSums& sums, const Folds& folds,
                int64_t first, ProductWorkspace<double>& workspace, TargetBlock& block) {
  block.first = first;
  block.cols = std::min(kTargetColumns, target.cols - first);
  block.cross.resize(size_t(folds.count()));
  for (int64_t f = 0; f < folds.count(); ++f) {
    product(centred_fold(source, folds, f, moments[f].mean.data(), 0, source.cols),
            centred_fold(target, folds, f, &sums.mean[f * target.cols], first, block.cols),
            folds.size(f), workspace);
    std::swap(block.cross[f], workspace.product);  // no copy, and no fresh pages in the long run
  }
}

void FoldErrors::prepare(const RidgeModel& model, const std::vector<FoldMoments>& moments,
                         const Folds& folds, int64_t fold, const TargetBlock& block,
                         const TargetSums& sums, int64_t target_cols) {
  const int64_t cols = cols_ = block.cols, dimension = int64_t(model.train_mean.size());
  left_out_ = double(folds.size(fold));
  const double trained = double(folds.rows()) - left_out_;
  model_ = &model;
  freedom_ = trained - double(folds.intercept) - double(model.rank);

  const auto of = [&](const std::vector<double>& values, int64_t f) {
    return &values[f * target_cols + block.first];
  };
  for (auto* v : {&train_squares_, &mean_difference_}) v->assign(size_t(cols), 0.0);
  squares_.assign(of(sums.squares, fold), of(sums.squares, fold) + cols);
  constant_.assign(size_t(cols), 0);
  std::vector<double> train_mean(size_t(cols), 0.0);
  std::vector<char> flat(static_cast<size_t>(cols));  // constant in the training set
  for (int64_t t = 0; t < cols; ++t) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (int64_t f = 0; f < folds.count(); ++f) {
      if (f == fold) continue;
      low = std::min(low, of(sums.low, f)[t]);
      high = std::max(high, of(sums.high, f)[t]);
      train_mean[t] += double(folds.size(f)) / trained * of(sums.mean, f)[t];
    }
    flat[t] = folds.intercept && low == high;  // a line through the origin may fit it
    constant_[t] = of(sums.low, fold)[t] == of(sums.high, fold)[t];
    mean_difference_[t] = of(sums.mean, fold)[t] - train_mean[t];
  }

  // Rows of training and left-out cross moments side by side.
  cross_.assign(size_t(dimension * 2 * cols), 0.0);
  std::vector<double> away(static_cast<size_t>(cols));
  for (int64_t f = 0; f < folds.count(); ++f) {
    const bool out = f == fold;
    const double count = out ? 0 : double(folds.size(f));
    for (int64_t t = 0; t < cols && !out; ++t) {
      away[t] = of(sums.mean, f)[t] - train_mean[t];
      train_squares_[t] += of(sums.squares, f)[t] + count * away[t] * away[t];
    }
    for (int64_t i = 0; i < dimension; ++i) {
      const double scaled = count * (moments[f].mean[i] - model.train_mean[i]);
      const double* from = &block.cross[f][i * cols];
      double* to = &cross_[i * 2 * cols] + (out ? cols : 0);
      for (int64_t t = 0; t < cols; ++t) to[t] += from[t] + scaled * away[t];
    }
  }
  for (int64_t i = 0; i < dimension; ++i) {
    for (int64_t t = 0; t < cols; ++t) {
      if (flat[t]) cross_[i * 2 * cols + t] = 0;
    }
  }
  rotated_.resize(size_t(model.rank * 2 * cols));
  gemm<double>(Op::none, Op::none, model.rank, 2 * cols, dimension, 1.0, model.basis.data(),
               dimension, cross_.data(), 2 * cols, 0.0, rotated_.data(), 2 * cols);
  // Sums of products that are no more than their own rounding are zero: predictions made of them
  // would be signs of rounding.
  const double share = trained * std::numeric_limits<double>::epsilon();
  const double least = model.rank > 0 ? share * share * model.values.back() : 0;
  for (int64_t k = 0; k < model.rank; ++k) {
    double* b = against_train(k);
    for (int64_t t = 0; t < cols; ++t) {
      if (b[t] * b[t] <= least * train_squares_[t]) b[t] = 0;
    }
  }
}

void FoldErrors::choose(const std::vector<double>& penalties, int32_t* choice) {
  const int64_t rank = model_->rank, cols = cols_, count = int64_t(penalties.size());
  // Squared components of y along the left singular vectors of X. Where the eigenvalue is rounding
  // they are not known, and the residual falls by (w + 2 a) / (w + a)^2 b^2.
  energy_.resize(size_t(rank * cols));
  unexplained_ = train_squares_;
  for (int64_t k = 0; k < rank; ++k) {
    const double* b = against_train(k);
    const bool strong = k >= model_->strong;
    const double scale = strong ? 1 / model_->values[k] : 1;
    for (int64_t t = 0; t < cols; ++t) {
      const double energy = b[t] * b[t] * scale;
      if (strong) unexplained_[t] -= energy;
      energy_[k * cols + t] = energy;
    }
  }
  // Exactly zero where the model can fit any target; elsewhere rounding must not go below.
  const bool fits_all = freedom_ + double(model_->strong) <= 0;
  for (double& u : unexplained_) u = fits_all ? 0 : std::max(u, 0.0);
  filter_.resize(size_t(count * rank));
  std::vector<double> freedom(size_t(count), freedom_);
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t k = 0; k < rank; ++k) {
      const double penalty = penalties[a], shrinkage = model_->shrinkage(k, penalty);
      const double kept = shrinkage > 0 ? penalty * shrinkage : 1;
      freedom[a] += kept;
      filter_[a * rank + k] = k >= model_->strong
                                  ? kept * kept
                                  : -(model_->values[k] + 2 * penalty) * shrinkage * shrinkage;
    }
  }
  residual_.assign(size_t(count * cols), 0.0);
  if (rank > 0) {
    gemm<double>(Op::none, Op::none, count, cols, rank, 1.0, filter_.data(), rank, energy_.data(),
                 cols, 0.0, residual_.data(), cols);
  }
  for (int64_t t = 0; t < cols; ++t) {
    double best = std::numeric_limits<double>::infinity();
    choice[t] = 0;
    for (int64_t a = 0; a < count; ++a) {
      const double residual = std::max(residual_[a * cols + t] + unexplained_[t], 0.0);
      const double score = residual / (freedom[a] * freedom[a]);
      if (score < best) {
        best = score;
        choice[t] = int32_t(a);
      }
    }
  }
}

void FoldErrors::solve(const std::vector<double>& penalties, const int32_t* choice) {
  coefficients_.resize(size_t(model_->rank * cols_));
  for (int64_t k = 0; k < model_->rank; ++k) {
    const double* b = against_train(k);
    for (int64_t t = 0; t < cols_; ++t) {
      coefficients_[k * cols_ + t] = b[t] * model_->shrinkage(k, penalties[choice[t]]);
    }
  }
  evaluate();
}

void FoldErrors::solve(double penalty) {
  coefficients_.resize(size_t(model_->rank * cols_));
  for (int64_t k = 0; k < model_->rank; ++k) {
    const double* b = against_train(k);
    const double scale = model_->shrinkage(k, penalty);
    for (int64_t t = 0; t < cols_; ++t) coefficients_[k * cols_ + t] = b[t] * scale;
  }
  evaluate();
}

// Inner products of prediction and target, squares of the prediction and what they are sums of, and
// its mean shift.
void FoldErrors::evaluate() {
  const int64_t rank = model_->rank, cols = cols_;
  for (auto* v : {&inner_, &quadratic_, &terms_, &shifted_}) v->assign(size_t(cols), 0.0);
  product_.resize(size_t(kQuadraticRows * cols));
  for (int64_t row = 0; row < rank; row += kQuadraticRows) {
    const int64_t count = std::min(kQuadraticRows, rank - row);
    gemm<double>(Op::none, Op::none, count, cols, row + count, 1.0, &model_->fold_gram[row * rank],
                 rank, coefficients_.data(), cols, 0.0, product_.data(), cols);
    for (int64_t i = 0; i < count; ++i) {
      const double* c = &coefficients_[(row + i) * cols];
      const double* p = &product_[i * cols];
      const double* q = against_fold(row + i);
      const double shift = model_->shift[row + i];
      const double square = model_->fold_gram[(row + i) * (rank + 1)];
      for (int64_t t = 0; t < cols; ++t) {
        quadratic_[t] += c[t] * p[t];
        terms_[t] += c[t] * c[t] * square;
        inner_[t] += c[t] * q[t];
        shifted_[t] += c[t] * shift;
      }
    }
    poll_interrupt();
  }
}

// As functions of g_k = 1 / (w_k + a), squared errors are linear in g_k, g_k^2 and the g_k g_l of
// close pairs: coefficients of all columns, times the powers of all penalties.
void FoldErrors::squared_errors(const std::vector<double>& penalties, double* out) {
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
    const double diagonal = model_->fold_gram[k * rank + k];
    const double* b = &along_[k * cols];
    const double* q = against_fold(k);
    double* linear = &linear_[k * cols];
    double* square = &square_[k * cols];
    for (int64_t t = 0; t < cols; ++t) {
      linear[t] = b[t] * (linear[t] - 2 * q[t]);
      square[t] = b[t] * b[t] * diagonal;
    }
  }

  shrinkage_.resize(size_t(count * rank));
  weights_.resize(size_t(count * std::max(rank, kCloseRows)));
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t k = 0; k < rank; ++k) {
      shrinkage_[a * rank + k] = model_->shrinkage(k, penalties[a]);
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

double FoldErrors::squared_error(int64_t t) const {
  return total_error(t, quadratic_[t] - 2 * inner_[t], shifted_[t]);
}

// `fitted`: |prediction|^2 - 2 <prediction, target> about the fold's means.
double FoldErrors::total_error(int64_t t, double fitted, double shifted) const {
  const double shift = mean_difference_[t] - shifted;
  return std::max(squares_[t] + fitted, 0.0) + left_out_ * shift * shift;
}

double FoldErrors::correlation(int64_t t) const {
  if (constant_[t] || quadratic_[t] <= kFlatPrediction * terms_[t]) return 0;
  return std::clamp(inner_[t] / std::sqrt(quadratic_[t]) / std::sqrt(squares_[t]), -1.0, 1.0);
}

}  // namespace likewise

#pragma once

#include <vector>

#include "regression/ridge.h"

namespace likewise {

// c'Sc for every penalty from one product. With g_i = 1 / (w_i + a) and c_i = g_i b_i,
//   g_i g_j = (g_i - g_j) / (w_j - w_i),  so  sum over i != j of c_i S_ij c_j = 2 sum_i g_i b_i
//   (Kb)_i
// for K_ij = S_ij / (w_j - w_i), which does not depend on a. Pairs of close eigenvalues, whose
// difference would lose digits, are left out of K and listed.
struct GapForm {
  struct Pair {
    int32_t i, j;
    double twice;  // 2 S_ij
  };
  std::vector<double> divided;  // K: rank x rank, antisymmetric
  std::vector<Pair> close;
};

// What the models of one source share that leave one fold out: `rank` directions in which the
// training set may vary, of rising eigenvalue. Of the first ones, up to `strong`, the eigenvalue is
// no more than rounding: they count where the penalty is larger by far, and are absent elsewhere.
struct RidgeModel {
  int64_t rank = 0, strong = 0;  // directions [strong, rank) have an eigenvalue
  double weak_from = 0;          // the least penalty that counts the others
  std::vector<double> values;    // eigenvalues of the training Gram
  std::vector<double> basis;     // rank x cols: their eigenvectors
  // rank x rank, zeros above the diagonal: c'Sc = c'Lc for S = basis * (Gram of the fold) * basis'.
  // Half of S's products are enough: L has its lower triangle, doubled off the diagonal.
  std::vector<double> fold_gram;
  std::vector<double> train_mean;  // cols
  std::vector<double> shift;       // rank: basis * (mean of the fold - train_mean)
  GapForm gaps;

  // 1 / (eigenvalue + penalty), 0 where the direction is absent.
  double shrinkage(int64_t k, double penalty) const {
    return k < strong && penalty < weak_from ? 0 : 1 / (values[k] + penalty);
  }
};

// Of the rows of one fold, about their own means: nothing cancels, however far apart folds are.
// Without an intercept means count as zero.
struct FoldMoments {
  std::vector<double> gram;  // cols x cols
  std::vector<double> mean;  // cols
};

// Means of the columns over the rows of a fold.
std::vector<double> fold_mean(const Item<double>& item, const Folds& folds, int64_t fold);

// Columns [first, first + cols) of a fold minus these means (of all columns).
Item<double> centred_fold(const Item<double>& item, const Folds& folds, int64_t fold,
                          const double* mean, int64_t first, int64_t cols);

FoldMoments fold_moments(const Item<double>& source, const Folds& folds, int64_t fold);

// The model that leaves `fold` out; `moments` are those of all folds. False if the
// eigendecomposition failed.
[[nodiscard]] bool ridge_model(const std::vector<FoldMoments>& moments, const Folds& folds,
                               int64_t fold, RidgeModel& model);

// Fills model.gaps, which is left empty where too many eigenvalues are close.
void divide_by_gaps(RidgeModel& model);

}  // namespace likewise

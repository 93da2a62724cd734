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

// What the models of one source share that leave one fold out. Directions without variance in the
// training set are dropped: `rank` of them are left.
template <class T>
struct RidgeModel {
  int64_t rank = 0;
  std::vector<double> values;  // eigenvalues of the training Gram
  std::vector<T> basis;        // rank x cols: their eigenvectors
  // rank x rank, zeros above the diagonal: c'Sc = c'Lc for S = basis * (Gram of the fold) * basis'.
  // Half of S's products are enough: L has its lower triangle, doubled off the diagonal.
  std::vector<T> fold_gram;
  std::vector<double> train_mean;  // cols
  std::vector<double> shift;       // rank: basis * (mean of the fold - train_mean)
  GapForm gaps;
};

// Sums over the rows of one fold; without an intercept `sum` is zero.
struct FoldMoments {
  std::vector<double> gram;  // cols x cols
  std::vector<double> sum;   // cols
};

template <class T>
FoldMoments fold_moments(const Item<T>& source, const Folds& folds, int64_t fold);

// The model that leaves `fold` out; `moments` are those of all folds. False if the
// eigendecomposition failed.
template <class T>
[[nodiscard]] bool ridge_model(const std::vector<FoldMoments>& moments, const Folds& folds,
                               int64_t fold, RidgeModel<T>& model);

// Fills model.gaps, which is left empty where too many eigenvalues are close.
template <class T>
void divide_by_gaps(RidgeModel<T>& model);

}  // namespace likewise

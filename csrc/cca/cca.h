#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "linalg/cross.h"

// Canonical correlation analysis. With whitened representations Zx and Zy (prepared shapes of
// alpha = 0) the canonical correlations are the singular values of Zx'Zy = P diag(rho) Q'.

namespace likewise {

template <class T>
struct VariateList {
  std::vector<Item<T>> items;  // prepared shapes: whitened, Frobenius norm 1
  std::vector<double> norms;   // what they had to be divided by; 0: a constant representation
  // Projection weights only: Z'X (columns of Z x units) of every item.
  std::vector<MatrixRef<const double>> loadings;

  bool is_constant(int64_t k) const { return norms[k] == 0; }
};

// scores (a x b) of all pairs; with `symmetric`, b is ignored and a is compared with itself. Means
// of rho over the min(columns) correlations: plain, or (`weighted`) with weight sum_j |P_k' Zx'x_j|
// of the k-th, x being the item of `a` (Morcos, Raghu & Bengio 2018). NaN for constant
// representations. Throws ConvergenceError naming the pairs whose SVD failed.
template <class T>
void cca_scores(const VariateList<T>& a, const VariateList<T>& b, int64_t rows, bool symmetric,
                bool weighted, int threads, double* scores);

// The first k canonical correlations of a[i] with b[i], descending, zeros beyond the rank:
// out (count, k). NaN for constant representations. Throws as above.
template <class T>
void canonical_correlations(const VariateList<T>& a, const VariateList<T>& b, int64_t rows,
                            int64_t k, int threads, double* out);

}  // namespace likewise

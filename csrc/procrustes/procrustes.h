#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "linalg/cross.h"

// Procrustes and generalised shape distances (Williams et al. 2021) of representations.
// Everything is a function of the nuclear norm of X'Y for unit-norm X and Y.

namespace likewise {

enum class ProcrustesScore { angular, euclidean, similarity };

struct ProcrustesOptions {
  bool center = true;
  bool scale = true;  // euclidean only: distances of unit-norm items, else of items as they are
  double alpha = 1;   // X (alpha I + (1 - alpha) (X'X)^-1/2): 1 is Procrustes, 0 is CCA
  ProcrustesScore score = ProcrustesScore::angular;
};

// A representation after what is needed once of it: centred, constant units dropped, reshaped by
// alpha, replaced by its triangular root where units outnumber samples, scaled to unit norm.
// Inner products with other prepared items are kept, columns are not the original units.
template <class T>
struct PreparedShape {
  std::vector<T> data;  // rows x cols, row-major, Frobenius norm 1
  int64_t cols = 0;     // at most the number of rows; 0 for a constant representation
  double norm = 0;      // Frobenius norm before scaling
  int64_t constant_units = 0;
  bool converged = true;  // false: an SVD failed (alpha < 1 only), the data are unusable
};

template <class T>
PreparedShape<T> prepare_shape(const MatrixRef<const T>& x, const ProcrustesOptions& options);

// Prepared items of one list; all have the same number of rows.
template <class T>
struct ShapeList {
  std::vector<Item<T>> items;
  std::vector<double> norms;  // 0 marks a constant representation
};

// Writes the score of pair (i, j) to scores[i * b.size() + j] (paired: scores[i]); symmetric also
// fills (j, i) and the diagonal. NaN for constant representations. Pairs with 1 - similarity below
// a threshold are refined from the rotation, so that their error is absolute in the angle.
// Throws ConvergenceError naming the pairs whose SVD failed.
template <class T>
void procrustes_scores(const ShapeList<T>& a, const ShapeList<T>& b, int64_t rows, Pairing pairing,
                       const ProcrustesOptions& options, int threads, double* scores);

struct ProcrustesCounts {
  int64_t constant_units = 0;
  int64_t constant_items = 0;
};

// Prepares and scores x[i] with y[i] for all items of the two batches (equal batch axes).
ProcrustesCounts procrustes_batch(const ArrayRef& x, const ArrayRef& y,
                                  const ProcrustesOptions& options, int threads, double* scores);

}  // namespace likewise

#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/view.h"
#include "linalg/cross.h"
#include "procrustes/directions.h"

// Procrustes and generalised shape distances (Williams et al. 2021) of representations.
// Everything is a function of s, the nuclear norm of X'Y for unit-norm X and Y.

namespace likewise {

enum class ProcrustesScore { angular, euclidean, similarity };

// What becomes of the singular values s of a representation.
struct ShapeOptions {
  bool center = true;
  double alpha = 1;           // X (alpha I + (1 - alpha) (X'X)^-1/2): 1 is Procrustes, 0 is CCA
  double variance = 1;        // alpha = 0: the largest s that have this share of all s^2; others 0
  double regularization = 0;  // alpha = 0: s / sqrt(s^2 + regularization * mean of s^2 over units)
  bool loadings = false;      // alpha = 0: keep them
};

struct ProcrustesOptions : ShapeOptions {
  bool scale = true;  // euclidean only: distances of unit-norm items, else of items as they are
  ProcrustesScore score = ProcrustesScore::angular;
};

// A representation after what is needed once of it: centred, constant units dropped, reshaped by
// alpha, replaced by its triangular root where units clearly outnumber samples, scaled to unit
// norm. Inner products with other prepared items are kept, columns are not the original units.
template <class T>
struct PreparedShape {
  std::vector<T> data;       // rows x cols, row-major, Frobenius norm 1 up to rounding
  int64_t cols = 0;          // 0 for a constant representation
  double norm = 0;           // Frobenius norm before reshaping; 0 for a constant representation
  double reshaped_norm = 0;  // the same after reshaping, where alpha is 0
  // If wanted: inner products of the whitened columns (rows of this) with the units that vary, in
  // units of a power of two.
  std::vector<double> loadings;
  int64_t constant_units = 0;
  // alpha < 1: how many of the min(units that vary, samples - 1) directions rounding may have made
  // (see directions.h); not counted where a share of the variance decides.
  int64_t dropped_directions = 0;
  bool converged = true;  // false: an SVD failed (alpha < 1 only), the data are unusable
};

// Prepares one item after the other and keeps its memory. Belongs to one thread.
template <class T>
class ShapePreparation {
 public:
  void run(const MatrixRef<const T>& x, const ShapeOptions& options, PreparedShape<T>& out);

 private:
  void find_sums(const MatrixRef<const T>& x, bool center);
  template <class Out>
  double write_centred(const MatrixRef<const T>& x, double unit, Out* out);
  void take_root(int64_t rows, int64_t& cols, bool center);
  void find_columns(int64_t rows, bool center, double unit);
  bool reshape(const MatrixRef<const T>& x, const ShapeOptions& options, double unit, bool root,
               PreparedShape<T>& out);

  std::vector<T> gathered_;
  std::vector<double> reference_, sum_, mean_, total_, wide_, root_, norms_;
  Columns columns_;
  Directions directions_;
  std::vector<int64_t> kept_;
};

// Prepared items of one list; all have the same number of rows.
template <class T>
struct ShapeList {
  std::vector<Item<T>> items;
  std::vector<double> norms;  // 0 marks a constant representation
};

// Writes the score of pair (i, j) to scores[i * b.size() + j]; with `symmetric`, b is ignored and a
// is compared with itself. NaN for constant representations.
// Throws ConvergenceError naming the pairs whose SVD failed.
template <class T>
void procrustes_scores(const ShapeList<T>& a, const ShapeList<T>& b, int64_t rows, bool symmetric,
                       const ProcrustesOptions& options, int threads, double* scores);

// What is found in the items of a call, zeros before it; of pairs all x, then all y.
struct ShapeCounts {
  int64_t* constant_units;      // all of them for a constant item; -1: the item is not finite
  int64_t* dropped_directions;  // alpha < 1, see PreparedShape
  int64_t items;

  template <class Shape>  // with norm, constant_units and dropped_directions
  void set(int64_t item, int64_t units, const Shape& shape) const {
    constant_units[item] = !std::isfinite(shape.norm) ? -1
                           : shape.norm == 0          ? units
                                                      : shape.constant_units;
    dropped_directions[item] = shape.norm == 0 ? 0 : shape.dropped_directions;
  }
  // Those of a list, whose first item is this one.
  template <class Matrix, class Shape>
  void set_all(int64_t first, const std::vector<Matrix>& items,
               const std::vector<Shape>& shapes) const {
    for (size_t k = 0; k < items.size(); ++k) set(first + int64_t(k), items[k].cols, shapes[k]);
  }
  bool any() const;
};

// Prepared items of a list. Throws ConvergenceError naming an item.
template <class T>
std::vector<PreparedShape<T>> prepare_shapes(const std::vector<MatrixRef<const T>>& items,
                                             const ShapeOptions& options, int threads);

template <class T>
ShapeList<T> list_of(const std::vector<PreparedShape<T>>& shapes);

// Scores (k) of x with y, its rows in each of k orders of them.
template <class T>
void procrustes_reordered(const PreparedShape<T>& x, const PreparedShape<T>& y, int64_t rows,
                          const int32_t* orders, int64_t k, const ProcrustesOptions& options,
                          int threads, double* scores);

// Prepares and scores x[i] with y[i] for all items of the two batches (equal batch axes). An item
// that neighbouring pairs share through a zero stride is prepared once per thread. Scores are NaN
// where an item is not finite.
void procrustes_pairs(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                      int threads, double* scores, const ShapeCounts& counts);

}  // namespace likewise

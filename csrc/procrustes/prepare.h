#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/counts.h"
#include "core/view.h"
#include "procrustes/directions.h"
#include "procrustes/procrustes.h"

namespace likewise {

constexpr char kShapeSvd[] = "the singular value decomposition";  // what may not converge

// A representation after what is needed once of it: centred, constant units dropped, reshaped by
// alpha, replaced by its triangular root where units clearly outnumber samples, scaled to unit
// norm. Inner products with other prepared items are kept, columns are not the original units.
template <class T>
struct PreparedShape {
  std::vector<T> data;       // rows x cols, row-major, Frobenius norm 1 up to rounding
  int64_t cols = 0;          // 0 for a constant representation
  double norm = 0;           // Frobenius norm before reshaping; 0 for a constant representation
  double reshaped_norm = 0;  // the same after reshaping, times `one`
  double one = 1;            // a power of two, 1 where alpha is 0
  int64_t constant_units = 0;
  int64_t dropped_directions = 0;  // not counted where a share of the variance decides
  bool converged = true;           // false: an SVD failed, the data are unusable

  // If wanted. No root is taken, and where alpha is 1 and units do not outnumber samples there are
  // no directions: `data` are the units that vary. Else directions are those of the latter,
  // centred, times `unit` (a power of two) and, if alpha is 0, over these norms, 0 for units left
  // out.
  std::vector<int64_t> kept;
  std::vector<double> column_norms;
  double unit = 1;
  Directions directions;
  std::vector<double> loadings;  // (cols x kept): inner products of the result with the units
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

// The Frobenius norm. Sums rows first: the error does not grow with the number of samples times
// units.
double norm_of(int64_t rows, int64_t cols, const double* x);

// Prepared items of a list. Throws ConvergenceError naming an item.
template <class T>
std::vector<PreparedShape<T>> prepare_shapes(const std::vector<MatrixRef<const T>>& items,
                                             const ShapeOptions& options, int threads);

// What is counted in an item.
template <class T>
void count_shape(const Counts& counts, int64_t item, int64_t units, const PreparedShape<T>& shape) {
  counts(kConstantUnits, item) = !std::isfinite(shape.norm) ? -1
                                 : shape.norm == 0          ? units
                                                            : shape.constant_units;
  counts(kDroppedDirections, item) = shape.norm == 0 ? 0 : shape.dropped_directions;
}

// In a list, whose first item is this one.
template <class T>
void count_shapes(const Counts& counts, int64_t first, const std::vector<MatrixRef<const T>>& items,
                  const std::vector<PreparedShape<T>>& shapes) {
  for (size_t k = 0; k < items.size(); ++k) {
    count_shape(counts, first + int64_t(k), items[k].cols, shapes[k]);
  }
}

}  // namespace likewise

#pragma once

#include <vector>

#include "linalg/bidiagonal.h"
#include "linalg/cross.h"
#include "procrustes/procrustes.h"

namespace likewise {

// 1 - s of pairs of prepared items. Belongs to one thread.
template <class T>
class ProcrustesGap {
 public:
  // `m` = X'Y with leading dimension ld, only read. With `refine` the gap of nearly congruent pairs
  // keeps the precision that their angle needs (see near_identity.h); the similarity itself needs
  // no more than the plain value. False if the SVD of such a pair does not converge; NaN data give
  // NaN.
  [[nodiscard]] bool run(const Item<T>& x, const Item<T>& y, int64_t rows, const double* m,
                         int64_t ld, bool refine, double& gap);

 private:
  double gap_in_double(const Item<T>& x, const Item<T>& y, int64_t rows);
  [[nodiscard]] bool from_rotation(const Item<T>& x, const Item<T>& y, int64_t rows,
                                   const double* m, int64_t ld, double& gap);
  [[nodiscard]] bool align_faint(const Item<T>& x, const Item<T>& y, int64_t rows, int64_t first);
  template <class Body>
  void for_each_block(const Item<T>& x, const Item<T>& y, int64_t rows, const Body& body);

  BidiagonalReduction<T> reduction_;
  BidiagonalReduction<double> exact_;
  ProductWorkspace<double> product_;
  std::vector<double> x_, y_, values_, left_, right_;
};

// The score of a gap between items with these norms.
double procrustes_score(double gap, double norm_x, double norm_y, const ProcrustesOptions& options);

}  // namespace likewise

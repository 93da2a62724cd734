#pragma once

#include <functional>

#include "core/cuda/context.h"
#include "moments/cuda/spectra_kernels.h"
#include "moments/cuda/sums.h"

namespace likewise::cuda {

// Eigenvectors in rows (count, cols, cols), and eigenvalues (count, cols), in the same order.
struct DecomposedGrams {
  const double *vectors, *values;
};
// Of positive semidefinite matrices (count, cols, cols), which are overwritten; in temporary
// memory.
DecomposedGrams decompose_grams(const Context& context, double* grams, int64_t count, int64_t cols);

// Directions of the items of a list, as procrustes/directions.h has them, from their Gram matrices:
// what rounding leaves of these, singular values down to about 1e-7 of the largest.
class Directions {
 public:
  // What is found of every item; `center`: samples are centred.
  struct Existing {
    int64_t *ranks, *dropped;
    bool center;
  };
  // Fills weights (spectra.count, spectra.cols) of the items from `first` on.
  using Weigh = std::function<void(const Eigenvalues& spectra, int64_t first, double* weights)>;

  // With `sees_sizes` along the principal axes, and spectra has their eigenvalues.
  Directions(const Context& context, const SumsOfPairs& pairs, const SumsList& list,
             const Existing& existing, bool sees_sizes, const Weigh& weigh);

  // W (cols, cols) of item k such that the rows of W X' are directions times their weights, or 0;
  // the next item's follow.
  const double* rows(int64_t k) const { return rows_ + begins_[size_t(k)]; }

 private:
  std::vector<int64_t> begins_;
  double* rows_;
};

// Calls body(context, i, j, count, products) with W_i X_i'Y_j W_j' (count, cols of i, cols of j) of
// item i and equally wide ones from j on, as many as fit; where there are no directions W is 1.
using PairsBody =
    std::function<void(const Context&, int64_t i, int64_t j, int64_t count, const double*)>;
void for_each_product(const Context& context, const SumsOfPairs& pairs, const Directions* left,
                      const Directions* right, GridPart part, const PairsBody& body);

}  // namespace likewise::cuda

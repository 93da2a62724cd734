#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "rsa/options.h"

// Representational dissimilarity matrices (RDMs), in condensed form: the upper triangle row by row.

namespace likewise {

// Distances as they are, or in units of a power of two in which the largest is near 1: comparisons
// of RDMs that no scale changes need not know it, and squares stay finite.
enum class Unit { data, item };

// out (condensed_size(x.rows)): dissimilarities of all pairs of samples, of a relative error below
// 1e-12 before they are rounded to Out; 0 for equal samples, and for parallel ones under an angle.
// Samples without variance (correlation) or length (cosine) are at 1 from every other. Returns how
// many there are.
template <class T, class Out>
int64_t rdm(const MatrixRef<const T>& x, Dissimilarity dissimilarity, Unit unit, int threads,
            Out* out);

// The matrix (n x n) of a condensed RDM.
std::vector<double> square_of(int64_t n, const double* condensed);

// For pairs of entries of two lists of n ranks, both as Ranker writes them.
struct KendallCounts {
  double concordant_minus_discordant = 0;
  double ties_x = 0, ties_y = 0;  // pairs that are equal in x, in y
};

// O(n log n): Knight, JASA 61 (1966).
KendallCounts kendall_counts(const int32_t* x, const int32_t* y, int64_t n);

}  // namespace likewise

#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"

// Representational dissimilarity matrices (RDMs), in condensed form: the upper triangle row by row.

namespace likewise {

enum class Dissimilarity { correlation, cosine, euclidean, sqeuclidean };  // SciPy's pdist

inline int64_t condensed_size(int64_t samples) { return samples * (samples - 1) / 2; }

// out (condensed_size(x.rows)): dissimilarities of all pairs of samples. Samples without variance
// (correlation) or length (cosine) are at 1 from every other. Returns how many there are.
template <class T>
int64_t rdm(const MatrixRef<const T>& x, Dissimilarity dissimilarity, int threads, T* out);

// Memory that many calls of one thread share.
struct SortWorkspace {
  struct Keyed {
    uint32_t key;
    int32_t index;
  };
  std::vector<Keyed> from, to;
};

// Ranks of n finite values, equal ones sharing the mean of theirs, minus the mean rank; scaled to
// unit norm, or (else) as if there were no equal values. NaN where the norm is zero. `out` may be
// x.
template <class T>
void scaled_ranks(const T* x, int64_t n, bool unit_norm, SortWorkspace& w, double* out);

// For pairs of entries of two lists of n finite values.
struct KendallCounts {
  double concordant_minus_discordant = 0;
  double ties_x = 0, ties_y = 0;  // pairs that are equal in x, in y
};

// O(n log n): Knight, JASA 61 (1966).
template <class T>
KendallCounts kendall_counts(const T* x, const T* y, int64_t n, SortWorkspace& w);

}  // namespace likewise

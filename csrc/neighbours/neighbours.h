#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"

// Nearest neighbours of the samples of a representation, and how far two representations agree on
// them (Huh et al. 2024, "The Platonic Representation Hypothesis").

namespace likewise {

struct NeighbourOptions {
  int64_t k = 10;          // in [1, samples - 1]
  bool euclidean = false;  // else by cosine
  bool center = true;      // subtract the mean of every unit first
};

// The k nearest other samples of every sample; of equally near ones those of lowest index.
template <class T>
struct Neighbours {
  std::vector<int32_t> index;  // samples x k, ascending in every row
  std::vector<T> similarity;   // samples x k: the cosines (unset with euclidean)
  int64_t constant_units = 0;
  bool usable = true;  // neither constant nor holding NaN or infinity
};

template <class T>
void find_neighbours(const MatrixRef<const T>& x, const NeighbourOptions& options, int threads,
                     Neighbours<T>& out);

enum class NeighbourScore {
  mutual,   // mean over samples of |A and B| / k
  jaccard,  // mean over samples of |A and B| / |A or B|
  cknna,    // unbiased HSIC of the cosines of common neighbours, over those of each with itself
};

template <class T>
struct NeighbourItem {
  const int32_t* index;
  const T* similarity;
  bool usable;
};

// scores (a x b) of all pairs; `b` null: `a` with itself. `paired`: of a[i] with b[i]. CKNNA is not
// symmetric, since neighbours need not be mutual.
// NaN where an item is not usable or, for CKNNA, has no positive alignment with itself.
template <class T>
void neighbour_scores(NeighbourScore score, const std::vector<NeighbourItem<T>>& a,
                      const std::vector<NeighbourItem<T>>* b, bool paired, int64_t samples,
                      int64_t k, int threads, double* scores);

}  // namespace likewise

#pragma once

#include <cstdint>

#include "core/counts.h"
#include "core/ties.h"
#include "core/view.h"

// Nearest neighbours of the samples of a representation, and how far two representations agree on
// them (Huh et al. 2024, "The Platonic Representation Hypothesis").

namespace likewise {

struct NeighbourOptions {
  int64_t k = 10;             // in [1, samples - 1]
  bool euclidean = false;     // else by cosine
  bool center = true;         // subtract the mean of every unit first
  bool similarities = false;  // the cosines are wanted, too
};

enum class NeighbourScore {
  mutual,   // mean over samples of |A and B| / k
  jaccard,  // mean over samples of |A and B| / |A or B|
  cknna,    // unbiased HSIC of the cosines of common neighbours, over those of each with itself
};

struct NeighbourMeasure : NeighbourOptions {
  NeighbourScore score = NeighbourScore::mutual;
};

// What is counted in items besides constant units: what is wrong with an item.
constexpr int64_t kNeighbourStatus = 1;
constexpr int64_t kUnusable = 1;
constexpr int64_t kUnaligned = 2;  // CKNNA: no positive alignment with itself

// scores (a x b) of all pairs; an empty b stands for a. CKNNA is not symmetric, since neighbours
// need not be mutual. NaN where an item is not usable or, for CKNNA, has no positive alignment with
// itself. Dissimilarities (1 - cosine, or squared distances) that differ by at most a relative
// kTieTolerance count as equal, chains of them as one group; of equally near samples those of
// lowest index are taken.
void neighbour_scores(const Arrays& a, const Arrays& b, const NeighbourMeasure& options,
                      int threads, double* scores, const Counts& counts);

// Those of x[k] with y[k] for all items of two batches with equal batch axes.
void neighbour_pairs(const ArrayRef& x, const ArrayRef& y, const NeighbourMeasure& options,
                     int threads, double* scores, const Counts& counts);

}  // namespace likewise

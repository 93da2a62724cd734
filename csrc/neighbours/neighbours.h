#pragma once

#include <cstdint>
#include <vector>

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

// The k nearest other samples of every sample. Dissimilarities (1 - cosine, or squared distances)
// that differ by at most a relative kTieTolerance count as equal, chains of them as one group; of
// equally near samples those of lowest index are taken.
struct Neighbours {
  std::vector<int32_t> index;      // samples x k, ascending in every row
  std::vector<double> similarity;  // samples x k: the cosines, if wanted
  int64_t constant_units = 0;
  bool usable = true;  // neither constant nor holding NaN or infinity
};

template <class T>
void find_neighbours(const MatrixRef<const T>& x, const NeighbourOptions& options, int threads,
                     Neighbours& out);

enum class NeighbourScore {
  mutual,   // mean over samples of |A and B| / k
  jaccard,  // mean over samples of |A and B| / |A or B|
  cknna,    // unbiased HSIC of the cosines of common neighbours, over those of each with itself
};

struct NeighbourMeasure : NeighbourOptions {
  NeighbourScore score = NeighbourScore::mutual;
};

struct NeighbourItem {
  const int32_t* index;
  const double* similarity;  // of CKNNA alone
  bool usable;
};

// What is wrong with an item.
constexpr int64_t kUnusable = 1;
constexpr int64_t kUnaligned = 2;  // CKNNA: no positive alignment with itself

// scores (a x b) of all pairs; `b` null: `a` with itself. `paired`: of a[i] with b[i]. CKNNA is not
// symmetric, since neighbours need not be mutual.
// NaN where an item is not usable or, for CKNNA, has no positive alignment with itself, which
// status_a and status_b say of every item, of pairs in their order.
void compare_neighbours(NeighbourScore score, const std::vector<NeighbourItem>& a,
                        const std::vector<NeighbourItem>* b, bool paired, int64_t samples,
                        int64_t k, int threads, double* scores, int64_t* status_a,
                        int64_t* status_b);

}  // namespace likewise

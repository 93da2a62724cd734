#pragma once

#include <cstdint>
#include <vector>

#include "neighbours/neighbours.h"

namespace likewise {

// The k nearest other samples of every sample.
struct Neighbours {
  std::vector<int32_t> index;      // samples x k, ascending in every row
  std::vector<double> similarity;  // samples x k: the cosines, if wanted
  int64_t constant_units = 0;
  bool usable = true;  // neither constant nor holding NaN or infinity
};

template <class T>
void find_neighbours(const MatrixRef<const T>& x, const NeighbourOptions& options, int threads,
                     Neighbours& out);

}  // namespace likewise

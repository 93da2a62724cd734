#pragma once

#include <deque>
#include <vector>

#include "kernels/kernels.h"

namespace likewise {

// Representations in double, and the memory that they point into: of the same samples, the same
// bandwidth and units.
struct Widened {
  struct Memory {
    std::vector<double> x, mean, norms;
  };
  std::deque<Memory> memory;
  std::vector<KernelItem<double>> items;
};

Widened widened(const std::vector<KernelItem<float>>& items);

}  // namespace likewise

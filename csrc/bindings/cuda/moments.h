#pragma once

#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "bindings/cuda/arrays.h"
#include "moments/cuda/sums.h"

namespace likewise::bindings {

// Sums of two lists: those of pairs, those of every item alone (none where the lists are one), the
// widths of the items of each list, and shift and unit of each.
using GivenSums = std::tuple<DeviceArray, std::vector<DeviceArray>, std::vector<int64_t>,
                             std::vector<int64_t>, std::vector<DeviceArray>>;

inline cuda::Sums sums_of(const GivenSums& given) {
  const auto& [cross, alone, cols_a, cols_b, frames] = given;
  const auto frame = [&](size_t side) {
    return cuda::Frame{frames[2 * side].elements<double>(),
                       frames[2 * side + 1].elements<double>()};
  };
  cuda::Sums sums{cross.elements<double>(), cols_a, cols_b, frame(0), frame(1), {}};
  for (const DeviceArray& array : alone) sums.alone.push_back(array.elements<double>());
  return sums;
}

inline cuda::SumsFindings sums_findings(const DeviceArray& constant_units,
                                        const DeviceArray& samples) {
  return {constant_units.filled<int64_t>(), samples.filled<int64_t>()};
}

}  // namespace likewise::bindings

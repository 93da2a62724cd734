#pragma once

#include <string>
#include <tuple>

#include "core/error.h"
#include "neighbours/neighbours.h"

namespace likewise::bindings {

// As the Python measures give them: score, k, euclidean, center.
using NeighbourTuple = std::tuple<std::string, int64_t, bool, bool>;

inline NeighbourScore neighbour_score(const NeighbourTuple& given) {
  const std::string& name = std::get<0>(given);
  if (name == "mutual") return NeighbourScore::mutual;
  if (name == "jaccard") return NeighbourScore::jaccard;
  if (name == "cknna") return NeighbourScore::cknna;
  throw InternalError("unknown score " + name);
}

inline NeighbourOptions neighbour_options(const NeighbourTuple& given) {
  const auto& [score, k, euclidean, center] = given;
  return {k, euclidean, center, score == "cknna"};
}

}  // namespace likewise::bindings

#pragma once

#include <string>

#include "core/error.h"
#include "neighbours/neighbours.h"

namespace likewise::bindings {

// As the Python measures name them.
inline NeighbourScore neighbour_score(const std::string& name) {
  if (name == "mutual") return NeighbourScore::mutual;
  if (name == "jaccard") return NeighbourScore::jaccard;
  if (name == "cknna") return NeighbourScore::cknna;
  throw InternalError("unknown score " + name);
}

}  // namespace likewise::bindings

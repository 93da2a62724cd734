#pragma once

#include <string>
#include <tuple>

#include "core/error.h"
#include "transport/soft_match.h"

// Options of matchings as Python gives them to both engines.

namespace likewise::bindings {

inline Matching matching_of(const std::string& name) {
  if (name == "permutation") return Matching::permutation;
  if (name == "semi") return Matching::semi;
  throw InternalError("unknown matching " + name);
}

// Whether the score is a distance, and the mass that is sent.
using SoftMatchTuple = std::tuple<bool, double>;

inline SoftMatchOptions soft_match_options(const SoftMatchTuple& given) {
  return {std::get<0>(given), std::get<1>(given)};
}

}  // namespace likewise::bindings

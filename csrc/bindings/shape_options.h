#pragma once

#include <string>
#include <tuple>

#include "procrustes/procrustes.h"

namespace likewise::bindings {

// As the Python measures give them: center, scale, alpha, score.
using ShapeTuple = std::tuple<bool, bool, double, std::string>;

inline ProcrustesOptions shape_options(const ShapeTuple& given) {
  const auto& [center, scale, alpha, score] = given;
  ProcrustesOptions options;
  options.center = center;
  options.scale = scale;
  options.alpha = alpha;
  options.score = score == "angular"     ? ProcrustesScore::angular
                  : score == "euclidean" ? ProcrustesScore::euclidean
                                         : ProcrustesScore::similarity;
  return options;
}

}  // namespace likewise::bindings

#pragma once

#include <string>

#include "procrustes/procrustes.h"

namespace likewise::bindings {

// As the Python measures give them.
inline ProcrustesOptions shape_options(bool center, bool scale, double alpha,
                                       const std::string& score) {
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

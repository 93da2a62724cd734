#pragma once

#include "procrustes/cuda/procrustes_kernels.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda {

// What these options make of gaps.
inline GapScore gap_score(const ProcrustesOptions& options) {
  switch (options.score) {
    case ProcrustesScore::angular:
      return GapScore::angular;
    case ProcrustesScore::similarity:
      return GapScore::similarity;
    default:
      return options.scale ? GapScore::euclidean : GapScore::euclidean_unscaled;
  }
}

}  // namespace likewise::cuda

#pragma once

namespace likewise {

enum class Dissimilarity { correlation, cosine, euclidean, sqeuclidean };  // SciPy's pdist

inline constexpr bool is_distance(Dissimilarity dissimilarity) {
  return dissimilarity == Dissimilarity::euclidean || dissimilarity == Dissimilarity::sqeuclidean;
}

}  // namespace likewise

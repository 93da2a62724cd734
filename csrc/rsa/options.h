#pragma once

#include <cmath>
#include <cstdint>

namespace likewise {

enum class Dissimilarity { correlation, cosine, euclidean, sqeuclidean };  // SciPy's pdist

inline constexpr bool is_distance(Dissimilarity dissimilarity) {
  return dissimilarity == Dissimilarity::euclidean || dissimilarity == Dissimilarity::sqeuclidean;
}

// See rsa in Python. Devices have those by inner products: all but the taus.
enum class RdmComparison { cosine, corr, spearman, rho_a, tau_a, tau_b, cosine_cov, corr_cov };

struct RsaOptions {
  Dissimilarity dissimilarity;
  RdmComparison comparison;
};

inline int64_t condensed_size(int64_t samples) { return samples * (samples - 1) / 2; }

// n of a condensed RDM of n (n - 1) / 2 entries.
inline int64_t samples_of(int64_t size) { return int64_t(std::ceil(std::sqrt(2 * double(size)))); }

}  // namespace likewise

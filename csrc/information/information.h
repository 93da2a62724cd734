#pragma once

#include <cstdint>

// Mutual information of units whose activations are binned.

namespace likewise {

// Units x samples, each entry below the number of bins.
struct BinnedUnits {
  const uint8_t* codes;
  int64_t units;
};

// out (x.units x y.units), in nats: sum p_ij log(p_ij / (p_i p_j)) of the joint histogram of every
// pair. `correct` subtracts the leading term of its bias, (K_xy - K_x - K_y + 1) / (2 samples) for
// K occupied bins (Miller 1955).
void mutual_information(const BinnedUnits& x, const BinnedUnits& y, int64_t samples, int64_t bins,
                        bool correct, int threads, double* out);

// A pair of units of which one has a NaN: this is taken from its first count, which it makes
// negative in however many batches. Its information is NaN.
constexpr int64_t kUnknownPair = int64_t{1} << 40;

// The same from counts (pairs x bins x bins).
void information_of_counts(const int64_t* counts, int64_t pairs, int64_t bins, bool correct,
                           int threads, double* out);

// counts (x.units x y.units x bins x bins) += the joint histograms.
void add_joint_counts(const BinnedUnits& x, const BinnedUnits& y, int64_t samples, int64_t bins,
                      int threads, int64_t* counts);

}  // namespace likewise

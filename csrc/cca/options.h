#pragma once

namespace likewise {

// One of these at a time.
struct CanonicalOptions {
  double regularization = 0;  // ridge in units of the mean variance of the units that vary
  double variance = 1;    // below 1: the fewest largest singular values with this share of all s^2
  bool weighted = false;  // means of rho with weights sum_j |P_k' Zx'x_j| (Morcos et al. 2018)
};

}  // namespace likewise

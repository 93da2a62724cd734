#pragma once

#include <cstdint>
#include <vector>

namespace likewise {

// Anderson extrapolation of coordinate descent (Bertrand & Massias, "Anderson acceleration of
// coordinate descent", AISTATS 2021): the weights of the last sweeps are combined so that their
// changes nearly cancel. Residuals, which are affine in the weights, are combined alike.
class Extrapolation {
 public:
  void clear() { kept_ = 0; }

  // Of each sweep in turn: `count` weights with their residuals. True if there is something new,
  // then in `weights` and `residuals`.
  bool add(int64_t count, const double* w, const double* r);

  std::vector<double> weights, residuals;

 private:
  static constexpr int kDepth = 5;
  bool find_shares(int64_t count, double* shares) const;

  int kept_ = 0;
  std::vector<double> w_[kDepth + 1], r_[kDepth + 1];
};

}  // namespace likewise

#include "regression/extrapolation.h"

#include <cmath>
#include <utility>

namespace likewise {
namespace {

constexpr double kDamping = 1e-12;  // of the mean diagonal: changes may depend on each other

}  // namespace

// Shares of sum 1 whose combination of changes is least: C s = 1 with C their inner products.
bool Extrapolation::find_shares(int64_t count, double* shares) const {
  double inner[kDepth][kDepth + 1] = {};
  double trace = 0;
  for (int a = 0; a < kDepth; ++a) {
    for (int b = 0; b <= a; ++b) {
      double sum = 0;
      for (int64_t j = 0; j < count; ++j) {
        sum += (w_[a + 1][j] - w_[a][j]) * (w_[b + 1][j] - w_[b][j]);
      }
      inner[a][b] = inner[b][a] = sum;
    }
    inner[a][kDepth] = 1;
    trace += inner[a][a];
  }
  for (int a = 0; a < kDepth; ++a) inner[a][a] += kDamping * trace;
  for (int k = 0; k < kDepth; ++k) {  // positive definite: no pivoting
    if (!(inner[k][k] > 0)) return false;
    for (int a = 0; a < kDepth; ++a) {
      if (a == k) continue;
      const double factor = inner[a][k] / inner[k][k];
      for (int b = k; b <= kDepth; ++b) inner[a][b] -= factor * inner[k][b];
    }
  }
  double total = 0;
  for (int k = 0; k < kDepth; ++k) total += shares[k] = inner[k][kDepth] / inner[k][k];
  for (int k = 0; k < kDepth; ++k) shares[k] /= total;
  return std::isfinite(total) && total != 0;
}

bool Extrapolation::add(int64_t count, const double* w, const double* r) {
  w_[kept_].assign(w, w + count);
  r_[kept_].assign(r, r + count);
  if (kept_ < kDepth) {
    ++kept_;
    return false;
  }
  kept_ = 0;
  double shares[kDepth];
  if (!find_shares(count, shares)) return false;
  weights.assign(size_t(count), 0.0);
  residuals.assign(size_t(count), 0.0);
  for (int k = 0; k < kDepth; ++k) {
    for (int64_t j = 0; j < count; ++j) {
      weights[j] += shares[k] * w_[k + 1][j];
      residuals[j] += shares[k] * r_[k + 1][j];
    }
  }
  return true;
}

}  // namespace likewise

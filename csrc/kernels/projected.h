#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/prepared.h"
#include "kernels/scaled_kernel.h"

// Both estimators are c <C(K), C(L)> with a projection C of symmetric matrices: C(K) = HKH
// (biased), or the U-centred K, whose diagonal and row sums are 0 (unbiased; Szekely & Rizzo 2014).

namespace likewise {

// The projected kernel matrix of one representation, whole.
template <class T>
struct ProjectedKernel {
  // `slopes`: with what gradients need. The options must outlive this.
  void prepare(const MatrixRef<const T>& x, const KernelOptions& given, int threads, bool slopes);

  const KernelItem<T>& item() const { return prepared.items[0]; }
  bool usable() const { return status == kKernelOk && constant_units >= 0; }

  const KernelOptions* options = nullptr;
  int64_t rows = 0, cols = 0;
  PreparedItems<T> prepared;
  ScaledKernel scaled;
  std::vector<T> samples;      // rows x cols, centred and scaled
  std::vector<double> kernel;  // C(K), rows x rows; not filled where samples are not finite
  double square = 0;           // |C(K)|^2
  double size = 0;             // the same of what C(K) was made of
  KernelStatus status = kKernelOk;
  int64_t constant_units = 0;
  // If wanted: derivatives of K by products of samples or (rbf) by these squared distances.
  std::vector<double> slope, squares;

 private:
  void multiply(int threads);
  void apply_kernel(bool slopes);
  void take_distances();
  void project();
};

// A score is scale * <C(K), C(L)> in units of 2^exponent.
struct ScoreUnits {
  double scale;
  int64_t exponent;

  template <class T>
  ScoreUnits(const ProjectedKernel<T>& a, const ProjectedKernel<T>& b)
      : scale(1 / (std::sqrt(a.square) * std::sqrt(b.square))), exponent(0) {
    const KernelOptions& options = *a.options;
    if (options.normalize) return;
    const double n = double(a.rows);
    scale = 1 / (options.estimator == HsicEstimator::biased ? (n - 1) * (n - 1) : n * (n - 3));
    exponent = a.scaled.exponent + b.scaled.exponent;
  }

  // As a number of Output.
  template <class Output>
  double score(double product, const KernelOptions& options, bool& overflow) const {
    const bool biased = options.estimator == HsicEstimator::biased;
    return in_units<Output>((biased ? std::max(product, 0.0) : product) * scale, exponent,
                            overflow);
  }
};

}  // namespace likewise

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/dtype.h"
#include "core/parallel.h"
#include "core/ties.h"
#include "linalg/weighted_rows.h"
#include "rsa/compared.h"
#include "rsa/rsa.h"
#include "rsa/samples.h"
#include "rsa/scores.h"

namespace likewise {
namespace {

// Gradients by the points of d^2 = |p_i - p_j|^2, of d or of d^2 / 2: 2 (p_i - p_j), (p_i - p_j) /
// d or p_i - p_j.
template <class T>
std::vector<double> by_points(const Samples<T>& samples, const MatrixRef<const T>& x,
                              Dissimilarity dissimilarity, const double* weights, int threads) {
  const int64_t n = x.rows, d = x.cols;
  std::vector<double> w = square_of(n, weights);
  if (dissimilarity == Dissimilarity::euclidean) {
    std::vector<double> condensed(size_t(condensed_size(n)));
    rdm(x, dissimilarity, Unit::item, threads, condensed.data());
    const std::vector<double> distances = square_of(n, condensed.data());
    for (size_t k = 0; k < w.size(); ++k) w[k] = distances[k] > 0 ? w[k] / distances[k] : 0;
  }
  to_laplacian(n, w);
  std::vector<double> out(size_t(n * d));
  const double factor = dissimilarity == Dissimilarity::sqeuclidean ? 2 : 1;
  weighted_rows(n, d, factor, w, samples.points(), threads, out.data());
  return out;
}

// out (x.rows x x.cols) = sum over pairs i < j of weights_ij times the gradient by x of the
// dissimilarity of samples i and j in units of the item (see Unit); weights as the condensed RDM.
// In double until it is rounded to T. Samples without direction, and equal ones under the euclidean
// distance, have none: 0.
template <class T>
void rdm_gradient(const MatrixRef<const T>& x, Dissimilarity dissimilarity, const double* weights,
                  int threads, T* out) {
  const int64_t n = x.rows, d = x.cols;
  const Samples<T> samples(x, dissimilarity);
  std::vector<double> gradient = by_points(samples, x, dissimilarity, weights, threads);
  std::vector<double> unit(static_cast<size_t>(d));
  for (int64_t i = 0; i < n; ++i) {
    double* const row = gradient.data() + i * d;
    double length = samples.unit();
    if (!is_distance(dissimilarity)) {
      // With u = z / |z|, a gradient v by u is (v - (v'u) u) / |z| by z, which has no mean where
      // the u have none.
      length = samples.length(i);
      double along = 0;
      for (int64_t t = 0; t < d; ++t) {
        unit[t] = samples.points()[i * d + t] + samples.centre()[t];
        along += row[t] * unit[t];
      }
      for (int64_t t = 0; t < d; ++t) row[t] -= along * unit[t];
    }
    for (int64_t t = 0; t < d; ++t) out[i * d + t] = T(length == 0 ? 0 : row[t] / length);
  }
}

// One side of a pair: what is compared of its RDM, its norm, and the gradient of the score by it.
template <class T>
struct Side {
  MatrixRef<const T> x;
  std::vector<double> vector;
  Compared found;

  Side(const MatrixRef<const T>& item, const RsaOptions& options, int threads, int64_t place,
       const Counts& counts)
      : x(item), vector(size_t(compared_size(options.comparison, item.rows))) {
    const int64_t constant = constant_units(x);
    const int64_t without = rdm(x, options.dissimilarity, Unit::item, threads, vector.data());
    found = standardise(options.comparison, x.rows, kTieTolerance<double>, vector.data());
    const bool usable = found.finite && constant < x.cols;
    counts(kConstantUnits, place) = constant;
    counts(kFlat, place) = usable && found.flat ? 1 : 0;
    counts(kWithout, place) = usable ? without : 0;
    if (!usable) found.norm = std::numeric_limits<double>::quiet_NaN();
  }

  void pull_back(const Side& other, double score, const RsaOptions& options, int threads,
                 T* out) const {
    if (std::isnan(score)) {
      std::fill_n(out, x.rows * x.cols, std::numeric_limits<T>::quiet_NaN());
      return;
    }
    // An entry of an RDM is -1/2 of two second moments, which are stored times the root of 2.
    const double factor = has_moments(options.comparison) ? -0.5 / found.norm : 1 / found.norm;
    std::vector<double> weights(size_t(condensed_size(x.rows)));
    double mean = 0;
    for (size_t k = 0; k < weights.size(); ++k) {
      weights[k] = (other.vector[k] - score * vector[k]) * factor;
      mean += weights[k] / double(weights.size());
    }
    if (is_centred(options.comparison)) {
      for (double& weight : weights) weight -= mean;
    }
    rdm_gradient(x, options.dissimilarity, weights.data(), threads, out);
  }
};

}  // namespace

void rsa_gradients(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
                   double* scores, const Counts& counts, void* grad_x, void* grad_y) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> xs(x), ys(y);
    const int64_t pairs = xs.count();
    parallel_for(pairs, pairs >= threads ? threads : 1, [&](int64_t k, int) {
      const Side<T> a(xs[k], options, threads, k, counts),
          b(ys[k], options, threads, pairs + k, counts);
      const double score =
          std::isnan(a.found.norm) || std::isnan(b.found.norm)
              ? std::numeric_limits<double>::quiet_NaN()
              : std::inner_product(a.vector.begin(), a.vector.end(), b.vector.begin(), 0.0);
      scores[k] = score;
      const auto pull_back = [&](const Side<T>& side, const Side<T>& other, void* grad) {
        T* const out = static_cast<T*>(grad) + k * side.x.rows * side.x.cols;
        side.pull_back(other, score, options, threads, out);
      };
      if (grad_x) pull_back(a, b, grad_x);
      if (grad_y) pull_back(b, a, grad_y);
    });
  });
}

}  // namespace likewise

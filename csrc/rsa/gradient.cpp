#include "rsa/gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/weighted_rows.h"
#include "rsa/rsa.h"
#include "rsa/samples.h"

namespace likewise {
namespace {

std::vector<double> square_of(int64_t n, const double* condensed) {
  std::vector<double> out(size_t(n * n), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) out[i * n + j] = out[j * n + i] = *condensed++;
  }
  return out;
}

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

}  // namespace

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

template void rdm_gradient<float>(const MatrixRef<const float>&, Dissimilarity, const double*, int,
                                  float*);
template void rdm_gradient<double>(const MatrixRef<const double>&, Dissimilarity, const double*,
                                   int, double*);

}  // namespace likewise

#include "rsa/gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/weighted_rows.h"
#include "rsa/rsa.h"

namespace likewise {
namespace {

std::vector<double> square_of(int64_t n, const double* condensed) {
  std::vector<double> out(size_t(n * n), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) out[i * n + j] = out[j * n + i] = *condensed++;
  }
  return out;
}

// d |x_i - x_j|^2 / dx_i = 2 (x_i - x_j), d |x_i - x_j| / dx_i = (x_i - x_j) / |x_i - x_j|.
template <class T>
void by_distances(const MatrixRef<const T>& x, Dissimilarity dissimilarity, const double* weights,
                  int threads, T* out) {
  const int64_t n = x.rows, d = x.cols;
  std::vector<double> w = square_of(n, weights);
  if (dissimilarity == Dissimilarity::euclidean) {
    std::vector<T> condensed(size_t(condensed_size(n)));
    rdm(x, dissimilarity, threads, condensed.data());
    const std::vector<double> distances =
        square_of(n, std::vector<double>(condensed.begin(), condensed.end()).data());
    for (size_t k = 0; k < w.size(); ++k) w[k] = distances[k] > 0 ? w[k] / distances[k] : 0;
  }
  to_laplacian(n, w);
  std::vector<T> rows(size_t(n * d));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) rows[i * d + j] = x(i, j) - x(0, j);
  }
  const double factor = dissimilarity == Dissimilarity::euclidean ? 1 : 2;
  weighted_rows(n, d, factor, w, rows.data(), threads, out);
}

// With z_i = x_i (correlation: minus its mean) and u_i = z_i / |z_i|, d_ij = 1 - u_i'u_j. By u_i it
// is v_i = -sum_j w_ij u_j; by z_i, (v_i - (v_i'u_i) u_i) / |z_i|, which has no mean where the u
// have none.
template <class T>
void by_angles(const MatrixRef<const T>& x, Dissimilarity dissimilarity, const double* weights,
               int threads, T* out) {
  const int64_t n = x.rows, d = x.cols;
  const bool centre = dissimilarity == Dissimilarity::correlation;
  std::vector<T> units(size_t(n * d), T(0));
  std::vector<double> lengths(size_t(n), 0.0), row(static_cast<size_t>(d));
  for (int64_t i = 0; i < n; ++i) {
    double mean = 0, largest = 0, squares = 0;
    for (int64_t j = 0; j < d; ++j) {
      row[j] = double(x(i, j)) - (centre ? double(x(i, 0)) : 0);
      mean += row[j] / double(d);
    }
    for (double& value : row) {
      value -= centre ? mean : 0;
      largest = std::max(largest, std::abs(value));
    }
    if (largest == 0) continue;
    for (double& value : row) squares += (value / largest) * (value / largest);
    lengths[i] = std::sqrt(squares) * largest;
    for (int64_t j = 0; j < d; ++j) units[i * d + j] = T(row[j] / lengths[i]);
  }
  weighted_rows(n, d, -1, square_of(n, weights), units.data(), threads, out);
  for (int64_t i = 0; i < n; ++i) {
    T* gradient = out + i * d;
    if (lengths[i] == 0) {
      std::fill_n(gradient, d, T(0));
      continue;
    }
    double along = 0;
    for (int64_t j = 0; j < d; ++j) along += double(gradient[j]) * double(units[i * d + j]);
    for (int64_t j = 0; j < d; ++j) {
      gradient[j] = T((double(gradient[j]) - along * double(units[i * d + j])) / lengths[i]);
    }
  }
}

}  // namespace

template <class T>
void rdm_gradient(const MatrixRef<const T>& x, Dissimilarity dissimilarity, const double* weights,
                  int threads, T* out) {
  if (is_distance(dissimilarity)) {
    by_distances(x, dissimilarity, weights, threads, out);
  } else {
    by_angles(x, dissimilarity, weights, threads, out);
  }
}

template void rdm_gradient<float>(const MatrixRef<const float>&, Dissimilarity, const double*, int,
                                  float*);
template void rdm_gradient<double>(const MatrixRef<const double>&, Dissimilarity, const double*,
                                   int, double*);

}  // namespace likewise

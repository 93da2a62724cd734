#include "rsa/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/near_one.h"

namespace likewise {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Below this the rounding of their lengths, (4e-16)^2, shows in the square of two directions.
constexpr double kLeastAngle = 1e-17;

// Sum of term(t), in four lanes that do not wait for each other.
template <class Term>
double sum_over(int64_t count, Term&& term) {
  double lanes[4] = {};
  int64_t t = 0;
  for (; t + 4 <= count; t += 4) {
    for (int64_t k = 0; k < 4; ++k) lanes[k] += term(t + k);
  }
  for (; t < count; ++t) lanes[0] += term(t);
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

double mean_of(const double* x, int64_t count) {
  return sum_over(count, [x](int64_t t) { return x[t]; }) / double(count);
}

double square_of(const double* x, int64_t count) {
  return sum_over(count, [x](int64_t t) { return x[t] * x[t]; });
}

}  // namespace

template <class T>
Samples<T>::Samples(const MatrixRef<const T>& x, Dissimilarity dissimilarity)
    : x_(x),
      distances_(is_distance(dissimilarity)),
      centred_(dissimilarity == Dissimilarity::correlation),
      least_(distances_ ? 0 : kLeastAngle),
      points_(size_t(x.rows * x.cols)),
      centre_(size_t(x.cols), 0.0),
      norms_(size_t(x.rows)),
      scales_(size_t(x.rows), 1.0),
      shifts_(size_t(x.rows), 0.0) {
  distances_ ? measure() : direct();
  for (int64_t i = 0; i < x.rows; ++i) norms_[i] = square_of(points_.data() + i * x.cols, x.cols);
}

// The centre is the sample next to the mean: whole numbers stay whole.
template <class T>
void Samples<T>::measure() {
  const int64_t n = x_.rows, d = x_.cols;
  double largest = 0;
  std::vector<double> sizes(size_t(n), 0.0);  // NaN of what is not finite
  for (int64_t i = 0; i < n; ++i) {
    double zero = 0;
    for (int64_t t = 0; t < d; ++t) {
      const double element = double(x_(i, t));
      points_[i * d + t] = element;
      sizes[i] = std::max(sizes[i], std::abs(element));
      zero += element * 0;
    }
    sizes[i] += zero;
    if (sizes[i] > largest) largest = sizes[i];
  }
  const double scale = near_one(largest);
  double counted = 0;
  for (int64_t i = 0; i < n; ++i) {
    double* const point = points_.data() + i * d;
    for (int64_t t = 0; t < d; ++t) point[t] *= scale;
    if (std::isnan(sizes[i])) continue;
    ++counted;
    for (int64_t t = 0; t < d; ++t) centre_[t] += point[t];
  }
  for (double& value : centre_) value /= std::max(counted, 1.0);
  int64_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < n; ++i) {
    const double* const point = points_.data() + i * d;
    const double square =
        sum_over(d, [&](int64_t t) { return (point[t] - centre_[t]) * (point[t] - centre_[t]); });
    if (square < least) {
      least = square;
      nearest = i;
    }
  }
  std::copy_n(points_.data() + nearest * d, d, centre_.data());
  double farthest = 0;
  for (int64_t i = 0; i < n; ++i) {
    double* const point = points_.data() + i * d;
    for (int64_t t = 0; t < d; ++t) point[t] -= centre_[t];
    for (int64_t t = 0; t < d && !std::isnan(sizes[i]); ++t) {
      farthest = std::max(farthest, std::abs(point[t]));
    }
  }
  const double further = std::min(near_one(farthest), std::ldexp(1.0, 1000) / scale);
  for (double& value : points_) value *= further;
  std::fill(scales_.begin(), scales_.end(), scale * further);
  unit_ = 1 / scale / further;
}

template <class T>
void Samples<T>::direct() {
  const int64_t n = x_.rows, d = x_.cols;
  means_.assign(size_t(n), 0.0);
  lengths_.assign(size_t(n), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    double* const point = points_.data() + i * d;
    double low = double(x_(i, 0)), high = low, zero = 0;
    for (int64_t t = 0; t < d; ++t) {
      const double element = double(x_(i, t));
      point[t] = element;
      low = element < low ? element : low;
      high = element > high ? element : high;
      zero += element * 0;
    }
    const double size = std::max(std::abs(low), std::abs(high));
    if (zero != 0) {
      std::fill_n(point, d, std::numeric_limits<double>::quiet_NaN());
      lengths_[i] = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    if (size == 0 || (centred_ && low == high)) {
      std::fill_n(point, d, 0.0);
      ++undirected_;
      continue;
    }
    scales_[i] = near_one(size);
    // Differences of numbers within a factor of two of each other are exact.
    const bool narrow = low > 0 ? high <= 2 * low : high < 0 && low >= 2 * high;
    if (centred_ && narrow) shifts_[i] = point[0] * scales_[i];
    for (int64_t t = 0; t < d; ++t) point[t] = point[t] * scales_[i] - shifts_[i];
    if (centred_) means_[i] = centre_row(point);
    lengths_[i] = std::sqrt(square_of(point, d));
    for (int64_t t = 0; t < d; ++t) point[t] /= lengths_[i];
    for (int64_t t = 0; t < d; ++t) centre_[t] += point[t];
  }
  const double counted = double(
      std::count_if(lengths_.begin(), lengths_.end(), [](double length) { return length > 0; }));
  if (square_of(centre_.data(), d) < 0.25 * counted * counted) {
    std::fill(centre_.begin(), centre_.end(), 0.0);  // no direction in common
  } else {
    direct_from_mean(counted);
  }
}

// With b the mean of all samples over their lengths L, the point of a sample a is a / L - b, of
// which a - L b has one rounding; that of L changes the distance of two points by its square alone.
template <class T>
void Samples<T>::direct_from_mean(double counted) {
  const int64_t n = x_.rows, d = x_.cols;
  std::fill(centre_.begin(), centre_.end(), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    if (!(lengths_[i] > 0)) continue;
    for (int64_t t = 0; t < d; ++t) centre_[t] += value(i, t) / lengths_[i];
  }
  for (double& element : centre_) element /= counted;
  for (int64_t i = 0; i < n; ++i) {
    double* const point = points_.data() + i * d;
    if (lengths_[i] == 0) continue;
    for (int64_t t = 0; t < d; ++t) point[t] = std::fma(-lengths_[i], centre_[t], value(i, t));
    if (centred_) centre_row(point);
    for (int64_t t = 0; t < d; ++t) point[t] /= lengths_[i];
  }
  if (centred_) centre_row(centre_.data());
  for (int64_t i = 0; i < n; ++i) {
    if (lengths_[i] != 0) continue;
    for (int64_t t = 0; t < d; ++t) points_[i * d + t] = -centre_[t];
  }
}

// Subtracts the mean of d numbers and, once more, what rounding left of it; returns the mean.
template <class T>
double Samples<T>::centre_row(double* row) const {
  const int64_t d = x_.cols;
  double mean = 0;
  for (int pass = 0; pass < 2; ++pass) {
    const double step = mean_of(row, d);
    for (int64_t t = 0; t < d; ++t) row[t] -= step;
    mean += step;
  }
  return mean;
}

template <class T>
double Samples<T>::exact(int64_t i, int64_t j, double square, std::vector<double>& room) const {
  const int64_t d = x_.cols;
  if (distances_) {
    return sum_over(d, [&](int64_t t) {
      const double step = double(x_(i, t)) * scales_[i] - double(x_(j, t)) * scales_[j];
      return step * step;
    });
  }
  // What is left of sample i without its part along sample j, which e = a - s b takes with one
  // rounding of each element, and the rest of it, a rounding of s, by Pythagoras.
  const double slope = (1 - square / 2) * lengths_[i] / lengths_[j];
  room.resize(size_t(d));
  double* const e = room.data();
  for (int64_t t = 0; t < d; ++t) e[t] = std::fma(-slope, value(j, t), value(i, t));
  const double size = square_of(e, d), mean = centred_ ? mean_of(e, d) : 0;
  const double whole = sum_over(d, [&](int64_t t) { return (e[t] - mean) * (e[t] - mean); });
  const double along =
      sum_over(d, [&](int64_t t) { return (e[t] - mean) * (value(j, t) - means_[j]); }) /
      lengths_[j];
  const double across = whole - along * along;
  // Parallel samples: all of it is rounding.
  const double rounding = kEpsilon * (double(d + 16) * along * along + 4 * kEpsilon * size);
  if (across <= rounding) return 0;
  return 2 * across / (lengths_[i] * lengths_[i]) / (2 - square / 2);
}

template class Samples<float>;
template class Samples<double>;

}  // namespace likewise

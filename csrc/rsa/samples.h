#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "rsa/options.h"

namespace likewise {

// Samples as points in double whose squared distances make every dissimilarity: those of angles are
// half of them between rows of unit norm (correlation: centred before). Points are measured from
// near their mean where that is far from 0, distances in units of a power of two, so that norms and
// a product give most squares to a relative error of 1e-13; exact() gives the others.
template <class T>
class Samples {
 public:
  Samples(const MatrixRef<const T>& x, Dissimilarity dissimilarity);

  const double* points() const { return points_.data(); }  // x.rows x x.cols
  // Where the points are measured from: of angles alone, whose points plus this are of unit norm
  // or, without variance (correlation) or length (cosine), zero.
  const double* centre() const { return centre_.data(); }
  double norm(int64_t i) const { return norms_[i]; }  // squared, of a point
  double unit() const { return unit_; }
  // Length of a sample, about its mean for correlations; 0 without direction. Of angles alone.
  double length(int64_t i) const { return lengths_[i] / scales_[i]; }
  int64_t undirected() const { return undirected_; }
  // Whether one of two finite samples is among those, where there are any.
  bool undirected(int64_t i, int64_t j) const { return lengths_[i] * lengths_[j] == 0; }

  // Whether norms and a product leave too few digits of this square.
  bool is_small(double square, double norms) const {
    return (square < kShare * norms) | (square < least_);
  }
  // The square of two different samples, from their differences: equal ones are at 0. `room`: a
  // workspace of the caller's.
  double exact(int64_t i, int64_t j, double square, std::vector<double>& room) const;

 private:
  static constexpr double kShare = 1e-2;

  void measure();
  void direct();
  void direct_from_mean(double counted);
  double centre_row(double* row) const;
  // Element t of sample i, exact but for a factor and (correlation) a constant of the sample.
  double value(int64_t i, int64_t t) const { return double(x_(i, t)) * scales_[i] - shifts_[i]; }

  const MatrixRef<const T> x_;
  const bool distances_, centred_;
  const double least_;
  double unit_ = 1;
  int64_t undirected_ = 0;
  std::vector<double> points_, centre_, norms_;
  std::vector<double> scales_, shifts_, means_, lengths_;
};

}  // namespace likewise

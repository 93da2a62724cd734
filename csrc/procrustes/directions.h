#pragma once

#include <cstdint>
#include <functional>
#include <vector>

// The directions in which the samples of a representation vary. Units come in any size: which
// directions exist is decided on columns that were scaled to unit norm, where they have singular
// values above max(samples, units) * eps of the largest. Scaling units thus changes nothing.

namespace likewise {

// Centred samples of `rows` stimuli.
struct Columns {
  int64_t rows = 0;
  int64_t count = 0;
  int64_t varying = 0;        // of these, the others being zero
  int64_t most = 0;           // directions that there can be, above 0
  std::vector<double> noise;  // norm of each column up to which it may be made by rounding

  // What rounding may add to a column of values of this size.
  double noise_of(double size) const;
};

// X = left diag(values) right.
struct Directions {
  int64_t rank = 0;
  std::vector<double> left;    // rows x rank, orthonormal columns
  std::vector<double> values;  // rank, descending
  std::vector<double> right;   // rank x columns, orthonormal rows
};

// Scales x (rows x count, row-major) to columns of unit norm; those that may be rounding become
// zero. norms (count): what they had, 0 for the latter.
void unit_columns(const Columns& columns, double* x, std::vector<double>& norms);

// The directions of x (rows x cols, destroyed) that exist if its columns are of unit norm, or if it
// is the root of such columns. False if the SVD failed, as below.
[[nodiscard]] bool existing_directions(const Columns& columns, int64_t cols, double* x,
                                       Directions& out);

// Those that exist, with the singular values of columns of any size. x (rows x cols, destroyed) are
// the columns or their root; `write` writes the columns, where they are needed once more.
[[nodiscard]] bool directions_of(const Columns& columns, int64_t cols, double* x,
                                 const std::function<void(double*)>& write, Directions& out);

}  // namespace likewise

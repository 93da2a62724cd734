#include "neighbours/points.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/copy.h"
#include "core/near_one.h"

namespace likewise {
namespace {

constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();

struct Column {
  double low, high;

  bool constant() const { return low == high; }
  double spread() const { return std::min(high - low, std::numeric_limits<double>::max()); }
};

template <class T>
std::vector<Column> columns_of(const MatrixRef<const T>& x, const std::vector<T>& values) {
  std::vector<T> low(values.begin(), values.begin() + x.cols), high = low;
  for (int64_t i = 1; i < x.rows; ++i) {
    const T* row = values.data() + i * x.cols;
    for (int64_t j = 0; j < x.cols; ++j) {
      low[j] = std::min(low[j], row[j]);
      high[j] = std::max(high[j], row[j]);
    }
  }
  std::vector<Column> columns;
  for (int64_t j = 0; j < x.cols; ++j) columns.push_back({double(low[j]), double(high[j])});
  return columns;
}

// Makes a row one of unit norm; returns the norm it had, 0 leaving it as it is.
double normalize(double* row, int64_t width) {
  double largest = 0;
  for (int64_t j = 0; j < width; ++j) largest = std::max(largest, std::abs(row[j]));
  const double unit = near_one(largest);
  double squares = 0;
  for (int64_t j = 0; j < width; ++j) squares += row[j] * unit * (row[j] * unit);
  if (squares == 0) return 0;
  const double norm = std::sqrt(squares);
  for (int64_t j = 0; j < width; ++j) row[j] = row[j] * unit / norm;
  return norm / unit;
}

void average(const std::vector<double>& rows, int64_t count, std::vector<double>& mean) {
  const int64_t width = int64_t(mean.size());
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < width; ++j) mean[j] += rows[i * width + j];
  }
  for (double& value : mean) value /= double(count);
}

// Directions of rows that rounding moved by up to `moved` (relative: by itself) become points.
void keep_directions(Points& points, double moved, bool relative) {
  points.moved.resize(size_t(points.count));
  for (int64_t i = 0; i < points.count; ++i) {
    double* row = points.rows.data() + i * points.width;
    const double norm = normalize(row, points.width);
    const double share = relative ? moved : moved / norm;
    points.moved[i] = share < 0.25 ? share : 1;
    if (norm == 0 || points.moved[i] == 1) {
      std::fill_n(row, points.width, 0.0);
      points.moved[i] = 1;
    }
  }
}

}  // namespace

template <class T>
Points points_of(const MatrixRef<const T>& x, const NeighbourOptions& options) {
  Points points;
  points.count = x.rows;
  points.width = x.cols;
  std::vector<T> values(size_t(x.rows * x.cols));
  copy_matrix(x, values.data());
  const std::vector<Column> columns = columns_of(x, values);
  points.finite = std::all_of(values.begin(), values.end(), [](T v) { return std::isfinite(v); });
  double spread = 0;
  for (const Column& column : columns) {
    points.constant_units += column.constant();
    spread = std::max(spread, column.spread());
  }
  const bool centred = options.center && !options.euclidean;
  const double unit = options.euclidean || centred ? near_one(spread) : 1;
  points.rows.resize(values.size());
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      const double origin = centred ? columns[j].low * unit : 0;
      const bool skip = columns[j].constant() && (options.euclidean || centred);
      points.rows[i * x.cols + j] = skip ? 0 : double(values[i * x.cols + j]) * unit - origin;
    }
  }
  values = {};
  if (options.euclidean || centred) {
    std::vector<double> mean(size_t(x.cols), 0.0);
    average(points.rows, x.rows, mean);
    if (options.euclidean) {
      points.centre = mean;
      return points;
    }
    for (int64_t i = 0; i < x.rows; ++i) {
      for (int64_t j = 0; j < x.cols; ++j) points.rows[i * x.cols + j] -= mean[j];
    }
  }
  double squares = 0;
  for (const Column& column : columns) {
    squares += column.spread() * unit * (column.spread() * unit);
  }
  keep_directions(points, kRounding * (centred ? std::sqrt(squares) : 1), !centred);
  return points;
}

template Points points_of<float>(const MatrixRef<const float>&, const NeighbourOptions&);
template Points points_of<double>(const MatrixRef<const double>&, const NeighbourOptions&);

}  // namespace likewise

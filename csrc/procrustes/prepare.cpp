#include "procrustes/prepare.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/failures.h"
#include "core/near_one.h"
#include "core/parallel.h"
#include "core/rows.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kBlockElements = 1 << 14;

// A root costs about as much as one comparison: it must save a good part of every one.
bool worth_a_root(int64_t rows, int64_t cols) { return 4 * cols >= 5 * rows; }

template <class T>
double sum_of_squares(int64_t n, const T* x) {
  constexpr int64_t kLanes = 8;  // independent sums, which the compiler turns into vectors
  double lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] += double(x[j + k]) * double(x[j + k]);
  }
  for (; j < n; ++j) lanes[0] += double(x[j]) * double(x[j]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

double norm_of(int64_t rows, int64_t cols, const double* x) {
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) sum += sum_of_squares(cols, x + i * cols);
  return std::sqrt(sum);
}

// Sums run over differences from the first sample, which are exact zeros for constant units and
// keep their precision for units with a large mean; they become means in the units of the result,
// where denormal data round nothing. `total_` is zero for units that contribute nothing: constant
// ones if centring, else zeros.
template <class T>
void ShapePreparation<T>::find_sums(const MatrixRef<const T>& x, bool center) {
  reference_.assign(size_t(x.cols), 0.0);
  if (center) {
    for (int64_t j = 0; j < x.cols; ++j) reference_[j] = double(x(0, j));
  }
  sum_.assign(size_t(x.cols), 0.0);
  total_.assign(size_t(x.cols), 0.0);
  const int64_t step = std::max<int64_t>(1, kBlockElements / x.cols);
  const double* reference = reference_.data();
  double* sum = sum_.data();
  double* total = total_.data();
  for (int64_t row = 0; row < x.rows; row += step) {
    const int64_t count = std::min(step, x.rows - row);
    const Rows<T> rows = contiguous_rows(x, row, count, 0, x.cols, gathered_);
    for (int64_t r = 0; r < count; ++r) {
      const T* from = rows.data + r * rows.ld;
      for (int64_t j = 0; j < x.cols; ++j) {
        const double difference = double(from[j]) - reference[j];
        sum[j] += difference;
        total[j] += std::abs(difference);
      }
    }
    poll_interrupt();
  }
}

// Writes the kept columns, centred and times `unit`; returns the norm of what it wrote.
template <class T>
template <class Out>
double ShapePreparation<T>::write_centred(const MatrixRef<const T>& x, double unit, Out* out) {
  const int64_t kept = int64_t(kept_.size());
  const int64_t step = std::max<int64_t>(1, kBlockElements / x.cols);
  const double* reference = reference_.data();
  const double* mean = mean_.data();  // times `unit`
  double squares = 0;
  for (int64_t row = 0; row < x.rows; row += step) {
    const int64_t count = std::min(step, x.rows - row);
    const Rows<T> rows = contiguous_rows(x, row, count, 0, x.cols, gathered_);
    for (int64_t r = 0; r < count; ++r) {
      const T* from = rows.data + r * rows.ld;
      Out* to = out + (row + r) * kept;
      if (kept == x.cols) {
        for (int64_t j = 0; j < kept; ++j) {
          to[j] = Out((double(from[j]) - reference[j]) * unit - mean[j]);
        }
      } else {
        for (int64_t k = 0; k < kept; ++k) {
          const int64_t j = kept_[k];
          to[k] = Out((double(from[j]) - reference[j]) * unit - mean[j]);
        }
      }
      squares += sum_of_squares(kept, to);
    }
    poll_interrupt();
  }
  return std::sqrt(squares);
}

// The root in place of a wide matrix. Centred columns sum to zero, so the last column of their
// root, which has one element, is zero up to rounding.
template <class T>
void ShapePreparation<T>::take_root(int64_t rows, int64_t& cols, bool center) {
  root_.resize(size_t(rows * rows));
  triangular_root<double>(rows, cols, wide_.data(), cols, root_.data());
  cols = center ? rows - 1 : rows;
  for (int64_t i = 0; i < rows; ++i) std::copy_n(&root_[i * rows], cols, &wide_[i * cols]);
}

// Facts on the kept columns, which are written times `unit`.
template <class T>
void ShapePreparation<T>::find_columns(int64_t rows, bool center, double unit) {
  columns_.rows = rows;
  columns_.count = columns_.varying = int64_t(kept_.size());
  columns_.most = std::min(columns_.varying, center ? rows - 1 : rows);
  columns_.noise.clear();
  for (const int64_t j : kept_) columns_.noise.push_back(columns_.noise_of(reference_[j] * unit));
}

// With X = U S V', X (alpha I + (1 - alpha) (X'X)^-1/2) is U (alpha S + 1 - alpha) up to V, which
// no score sees; alpha weighs S, in the data's own units, against 1.
template <class T>
bool ShapePreparation<T>::reshape(const MatrixRef<const T>& x, const ShapeOptions& options,
                                  double unit, bool root, PreparedShape<T>& out) {
  const int64_t rows = x.rows, units = int64_t(kept_.size());
  Directions& d = directions_;
  norms_.assign(size_t(units), 1.0);
  find_columns(rows, options.center, unit);
  const bool scaled = options.alpha == 0 && options.regularization == 0 && options.variance == 1;
  if (scaled) unit_columns(columns_, wide_.data(), norms_);
  if (root) take_root(rows, out.cols, options.center);
  const auto write = [&](double* to) { write_centred(x, unit, to); };
  // A share of the variance never reaches what rounding made.
  const bool found = scaled || options.variance < 1 || options.alpha == 1
                         ? existing_directions(columns_, out.cols, wide_.data(), d)
                         : directions_of(columns_, out.cols, wide_.data(), write, d);
  if (!found) return false;
  if (options.alpha < 1 && options.variance == 1) out.dropped_directions = columns_.most - d.rank;
  double total = 0;
  for (const double s : d.values) total += s * s;
  int64_t& cols = out.cols;
  cols = d.rank;
  if (options.variance < 1) {
    double seen = 0;
    for (cols = 0; cols < d.rank && seen < options.variance * total; ++cols) {
      seen += d.values[cols] * d.values[cols];
    }
  }
  if (options.directions) {
    out.directions = d;
    out.column_norms = norms_;
    out.loadings.resize(size_t(cols * units));
    for (int64_t k = 0; k < cols; ++k) {
      for (int64_t j = 0; j < units; ++j) {
        out.loadings[k * units + j] = d.values[k] * d.right[k * units + j] * norms_[j];
      }
    }
  }
  const double ridge = options.regularization * total / double(units);
  // Data far above 1 are brought down to it, for the sake of squares.
  out.one = options.alpha == 1 ? unit : options.alpha > 0 ? std::min(unit, 1.0) : 1;
  for (double& s : d.values) {
    s = ridge > 0 ? s / std::sqrt(s * s + ridge)
                  : options.alpha * s * (out.one / unit) + (1 - options.alpha) * out.one;
  }
  wide_.resize(size_t(rows * cols));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < cols; ++k) wide_[i * cols + k] = d.left[i * d.rank + k] * d.values[k];
  }
  return true;
}

template <class T>
void ShapePreparation<T>::run(const MatrixRef<const T>& x, const ShapeOptions& options,
                              PreparedShape<T>& out) {
  find_sums(x, options.center);
  kept_.clear();
  double largest = 0;
  for (int64_t j = 0; j < x.cols; ++j) {
    if (total_[j] == 0) continue;
    kept_.push_back(j);
    largest = std::max(largest, total_[j]);
  }
  const int64_t rows = x.rows, kept = int64_t(kept_.size());
  out.constant_units = x.cols - kept;
  out.cols = kept;
  out.norm = out.reshaped_norm = 0;
  out.dropped_directions = 0;
  out.converged = true;
  if (kept == 0) return;

  const double unit = near_one(largest);
  mean_.assign(size_t(x.cols), 0.0);
  for (int64_t j = 0; j < x.cols && options.center; ++j) mean_[j] = sum_[j] * unit / double(rows);
  const bool root = kept >= rows && worth_a_root(rows, kept) && !options.directions;
  const bool reshaped = options.alpha < 1 || (options.directions && kept > rows);
  out.one = out.unit = unit;
  if (options.directions) out.kept = kept_;
  double norm;
  if (!root && !reshaped) {
    out.data.resize(size_t(rows * kept));
    norm = out.reshaped_norm = write_centred(x, unit, out.data.data());
    out.norm = norm / unit;
  } else {
    wide_.resize(size_t(rows * kept));
    norm = write_centred(x, unit, wide_.data());
    out.norm = norm / unit;
    if (std::isfinite(norm)) {
      if (reshaped) {
        out.converged = reshape(x, options, unit, root, out);
        if (out.cols == 0) out.norm = 0;
      } else if (root) {
        take_root(rows, out.cols, options.center);
      }
    }
    norm = norm_of(rows, out.cols, wide_.data());
    out.reshaped_norm = norm;
    out.data.resize(size_t(rows * out.cols));
    std::copy_n(wide_.begin(), out.data.size(), out.data.begin());
  }
  const double scale = 1 / norm;  // in float it would be off by 3e-8 for all entries alike
  for (T& value : out.data) value = T(double(value) * scale);
}

template <class T>
std::vector<PreparedShape<T>> prepare_shapes(const std::vector<MatrixRef<const T>>& items,
                                             const ShapeOptions& options, int threads) {
  std::vector<PreparedShape<T>> prepared(items.size());
  std::vector<ShapePreparation<T>> preparations(size_t(std::max(threads, 1)));
  Failures failures;
  parallel_for(int64_t(items.size()), threads, [&](int64_t i, int worker) {
    preparations[worker].run(items[i], options, prepared[i]);
    if (!prepared[i].converged) failures.add("item " + std::to_string(i));
  });
  failures.raise(kShapeSvd);
  return prepared;
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template class ShapePreparation<T>;                                                              \
  template std::vector<PreparedShape<T>> prepare_shapes<T>(const std::vector<MatrixRef<const T>>&, \
                                                           const ShapeOptions&, int);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

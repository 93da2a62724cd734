#include "procrustes/directions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/near_one.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

// Of the largest singular value: what rounding may have made.
double rounding(const Columns& columns) {
  return double(std::max(columns.rows, columns.varying)) * std::numeric_limits<double>::epsilon();
}

bool all_directions(int64_t rows, int64_t cols, double* x, Directions& out) {
  out.rank = std::min(rows, cols);
  out.left.resize(size_t(rows * out.rank));
  out.values.resize(size_t(out.rank));
  out.right.resize(size_t(out.rank * cols));
  return svd<double>(rows, cols, x, cols, out.values.data(), out.left.data(), out.right.data());
}

// Leaves the first `rank` directions.
void truncate(int64_t rows, int64_t cols, int64_t rank, Directions& d) {
  for (int64_t i = 1; i < rows && rank < d.rank; ++i) {
    std::copy_n(d.left.begin() + i * d.rank, rank, d.left.begin() + i * rank);
  }
  d.rank = rank;
  d.left.resize(size_t(rows * rank));
  d.values.resize(size_t(rank));
  d.right.resize(size_t(rank * cols));
}

}  // namespace

double Columns::noise_of(double size) const {
  return rounding(*this) * std::sqrt(double(rows)) * std::abs(size);
}

void unit_columns(const Columns& columns, double* x, std::vector<double>& norms) {
  const int64_t rows = columns.rows, cols = columns.count;
  std::vector<double> unit(size_t(cols), 0.0), factor = unit;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) unit[j] = std::max(unit[j], std::abs(x[i * cols + j]));
  }
  for (double& u : unit) u = near_one(u);
  norms.assign(size_t(cols), 0.0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const double value = x[i * cols + j] * unit[j];
      norms[j] += value * value;
    }
  }
  for (int64_t j = 0; j < cols; ++j) {
    const double norm = std::sqrt(norms[j]);
    norms[j] = norm / unit[j] > columns.noise[j] ? norm / unit[j] : 0;
    factor[j] = norms[j] > 0 ? 1 / norm : 0;
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) x[i * cols + j] = x[i * cols + j] * unit[j] * factor[j];
  }
}

bool existing_directions(const Columns& columns, int64_t cols, double* x, Directions& out) {
  if (!all_directions(columns.rows, cols, x, out)) return false;
  const double least = rounding(columns) * out.values[0];
  const int64_t rank = std::count_if(out.values.begin(), out.values.end(),
                                     [&](double value) { return value > least; });
  truncate(columns.rows, cols, rank, out);
  return true;
}

bool directions_of(const Columns& columns, int64_t cols, double* x,
                   const std::function<void(double*)>& write, Directions& out) {
  const int64_t rows = columns.rows, count = columns.count;
  if (!all_directions(rows, cols, x, out)) return false;
  // If the last s is this large, it is still half as large without the columns that may be noise;
  // divided by the largest norm of a column that is a bound for the scaled columns, whose largest
  // singular value is at most sqrt(count): all directions exist. Those of most data do.
  const double noise = *std::max_element(columns.noise.begin(), columns.noise.end());
  const double least = std::max(rounding(columns) * out.values[0], noise);
  if (out.values[columns.most - 1] > 2 * std::sqrt(double(count)) * least) {
    truncate(rows, cols, columns.most, out);
    return true;
  }
  std::vector<double> given(size_t(rows * count)), norms;
  write(given.data());
  unit_columns(columns, given.data(), norms);
  if (!existing_directions(columns, count, given.data(), out)) return false;
  if (out.rank == 0) return true;
  // The same space along the principal axes of the columns as they are.
  write(given.data());
  const std::vector<double> basis = std::move(out.left);
  std::vector<double> within(size_t(out.rank * count));
  gemm<double>(Op::transpose, Op::none, out.rank, count, rows, 1, basis.data(), out.rank,
               given.data(), count, 0, within.data(), count);
  Directions axes;
  if (!all_directions(out.rank, count, within.data(), axes)) return false;
  out.left.resize(basis.size());
  gemm<double>(Op::none, Op::none, rows, out.rank, out.rank, 1, basis.data(), out.rank,
               axes.left.data(), out.rank, 0, out.left.data(), out.rank);
  out.values = std::move(axes.values);
  out.right = std::move(axes.right);
  return true;
}

}  // namespace likewise

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "linalg/linalg.h"
#include "procrustes/procrustes.h"

namespace likewise {
namespace {

struct Centred {
  std::vector<double> data;  // rows x cols, squares neither overflow nor vanish
  int64_t rows, cols;
  int exponent;  // data times 2^exponent are the centred columns
};

// Columns that contribute: not constant (centred) or not zero (as they are).
template <class T>
std::vector<int64_t> contributing_columns(const MatrixRef<const T>& x, bool center) {
  const std::vector<T> zeros(center ? 0 : x.cols);
  const T* reference = center ? x.data : zeros.data();
  const int64_t reference_stride = center ? x.col_stride : 1;
  std::vector<char> contributes(x.cols, 0);
  int64_t missing = x.cols;
  // Most units differ within the first few rows: the look ends as soon as all have.
  for (int64_t i = 0; i < x.rows && missing > 0; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      if (!contributes[j] && x(i, j) != reference[j * reference_stride]) {
        contributes[j] = 1;
        --missing;
      }
    }
  }
  std::vector<int64_t> columns;
  for (int64_t j = 0; j < x.cols; ++j) {
    if (contributes[j]) columns.push_back(j);
  }
  return columns;
}

// Columns minus their first entry if centring: close to centred already, so that one mean in double
// is enough however large the offset. Returns the largest magnitude (NaN data: anything).
template <class T>
double shifted_copy(const MatrixRef<const T>& x, const std::vector<int64_t>& columns, bool center,
                    std::vector<double>& out) {
  const int64_t cols = columns.size();
  const bool all = cols == x.cols && x.col_stride == 1;
  std::vector<double> shift(cols, 0);
  for (int64_t k = 0; center && k < cols; ++k) shift[k] = x(0, columns[k]);
  double largest = 0;
  for (int64_t i = 0; i < x.rows; ++i) {
    const T* row = x.data + i * x.row_stride;
    double* to = out.data() + i * cols;
    if (all) {
      for (int64_t k = 0; k < cols; ++k) to[k] = double(row[k]) - shift[k];
    } else {
      for (int64_t k = 0; k < cols; ++k) to[k] = double(row[columns[k] * x.col_stride]) - shift[k];
    }
    for (int64_t k = 0; k < cols; ++k) largest = std::max(largest, std::abs(to[k]));
  }
  return largest;
}

template <class T>
Centred centred_columns(const MatrixRef<const T>& x, const std::vector<int64_t>& columns,
                        bool center) {
  const int64_t rows = x.rows, cols = columns.size();
  Centred out{std::vector<double>(size_t(rows * cols)), rows, cols, 0};
  const double largest = shifted_copy(x, columns, center, out.data);

  // Squares of entries near the ends of the range would overflow or vanish.
  if (largest > 0 && (largest > 1e100 || largest < 1e-100) && std::isfinite(largest)) {
    out.exponent = std::ilogb(largest) + 1;
    for (double& v : out.data) v = std::ldexp(v, -out.exponent);
  }
  if (!center) return out;

  std::vector<double> mean(cols, 0);
  for (int64_t i = 0; i < rows; ++i) {
    const double* row = out.data.data() + i * cols;
    for (int64_t k = 0; k < cols; ++k) mean[k] += row[k];
  }
  for (double& m : mean) m /= double(rows);
  for (int64_t i = 0; i < rows; ++i) {
    double* row = out.data.data() + i * cols;
    for (int64_t k = 0; k < cols; ++k) row[k] -= mean[k];
  }
  return out;
}

// Where units outnumber samples, the triangular root has the same inner products and few columns.
// The rows of a centred matrix sum to zero, so the last row depends on the others and the last
// column of the root is round-off.
void take_root(Centred& x, bool center) {
  const int64_t rank = center ? x.rows - 1 : x.rows;
  if (x.cols <= rank) return;
  std::vector<double> root(size_t(x.rows * x.rows));
  if (x.cols < x.rows) throw InternalError("a centred matrix has fewer columns than its rank");
  triangular_root<double>(x.rows, x.cols, x.data.data(), x.cols, root.data());
  x.data.resize(size_t(x.rows * rank));
  for (int64_t i = 0; i < x.rows; ++i) {
    std::copy_n(root.data() + i * x.rows, rank, x.data.data() + i * rank);
  }
  x.cols = rank;
}

double frobenius_norm(const std::vector<double>& data) {
  constexpr size_t kLanes = 8;  // independent sums, which the compiler turns into vectors
  double sums[kLanes] = {};
  size_t k = 0;
  for (; k + kLanes <= data.size(); k += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += data[k + lane] * data[k + lane];
  }
  for (; k < data.size(); ++k) sums[0] += data[k] * data[k];
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

// X (alpha I + (1 - alpha) (X'X)^-1/2) up to a rotation of its columns, which no score sees:
// U diag(alpha s + 1 - alpha). Singular values below the usual rank tolerance count as zero.
template <class T>
bool reshape_by_alpha(Centred& x, double alpha) {
  const int64_t r = std::min(x.rows, x.cols);
  std::vector<double> s(r), u(size_t(x.rows * r)), vt(size_t(r * x.cols));
  if (!svd<double>(x.rows, x.cols, x.data.data(), x.cols, s.data(), u.data(), vt.data())) {
    return false;
  }
  const double tolerance = double(std::max(x.rows, x.cols)) * std::numeric_limits<T>::epsilon();
  int64_t rank = 0;
  while (rank < r && s[rank] > tolerance * s[0]) ++rank;
  // alpha weighs the singular values against 1: they are taken in the data's own units.
  std::vector<double> weight(rank);
  for (int64_t k = 0; k < rank; ++k) {
    weight[k] = alpha * std::ldexp(s[k], x.exponent) + (1 - alpha);
  }
  x.data.resize(size_t(x.rows * rank));
  x.cols = rank;
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t k = 0; k < rank; ++k) x.data[i * rank + k] = u[i * r + k] * weight[k];
  }
  return true;
}

}  // namespace

template <class T>
PreparedShape<T> prepare_shape(const MatrixRef<const T>& x, const ProcrustesOptions& options) {
  PreparedShape<T> out;
  const std::vector<int64_t> columns = contributing_columns(x, options.center);
  out.constant_units = x.cols - int64_t(columns.size());
  if (columns.empty()) return out;

  Centred work = centred_columns(x, columns, options.center);
  take_root(work, options.center);
  const double norm = frobenius_norm(work.data);
  if (norm == 0) return out;  // columns that differ by less than centring can resolve
  out.norm = std::ldexp(norm, work.exponent);
  if (options.alpha < 1) out.converged = reshape_by_alpha<T>(work, options.alpha);

  const double scale = 1 / (options.alpha < 1 ? frobenius_norm(work.data) : norm);
  out.cols = work.cols;
  if constexpr (std::is_same_v<T, double>) {
    for (double& v : work.data) v *= scale;
    out.data = std::move(work.data);
  } else {
    out.data.resize(work.data.size());
    for (size_t k = 0; k < work.data.size(); ++k) out.data[k] = T(work.data[k] * scale);
  }
  return out;
}

template PreparedShape<float> prepare_shape<float>(const MatrixRef<const float>&,
                                                   const ProcrustesOptions&);
template PreparedShape<double> prepare_shape<double>(const MatrixRef<const double>&,
                                                     const ProcrustesOptions&);

}  // namespace likewise

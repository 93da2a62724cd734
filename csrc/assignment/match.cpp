#include "assignment/match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "assignment/assignment.h"
#include "core/copy.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Mean correlation over the pairs of the best one-to-one matching.
template <class T>
double match_permutation(AssignmentSolver& solver, const MatrixRef<const T>& correlation,
                         std::vector<int64_t>& assignment) {
  assignment.resize(size_t(correlation.rows));
  if (solver.solve(correlation, -1) != LapStatus::optimal) {
    throw InternalError("correlations are not finite");
  }
  solver.columns_of_rows(assignment.data());
  double sum = 0;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    if (assignment[i] >= 0) sum += double(correlation(i, assignment[i]));
  }
  return sum / double(std::min(correlation.rows, correlation.cols));
}

// Mean over rows of the largest correlation.
template <class T>
double match_semi(const MatrixRef<const T>& correlation, std::vector<int64_t>& assignment) {
  assignment.resize(size_t(correlation.rows));
  double sum = 0;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    int64_t best = 0;
    for (int64_t j = 1; j < correlation.cols; ++j) {
      if (correlation(i, j) > correlation(i, best)) best = j;
    }
    assignment[i] = best;
    sum += double(correlation(i, best));
  }
  return sum / double(correlation.rows);
}

// Mean over columns of the largest correlation, read along rows.
template <class T>
double mean_column_maximum(const MatrixRef<const T>& correlation) {
  std::vector<T> best(&correlation(0, 0), &correlation(0, 0) + correlation.cols);
  for (int64_t i = 1; i < correlation.rows; ++i) {
    for (int64_t j = 0; j < correlation.cols; ++j) best[j] = std::max(best[j], correlation(i, j));
  }
  return std::accumulate(best.begin(), best.end(), 0.0) / double(correlation.cols);
}

template <class T>
bool has_nan(const MatrixRef<const T>& correlation) {
  bool found = false;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    for (int64_t j = 0; j < correlation.cols; ++j) {
      found |= correlation(i, j) != correlation(i, j);
    }
  }
  return found;
}

// NaN data, which only an unchecked call holds, score NaN and match nothing.
template <class T>
double match_correlations(Matching matching, AssignmentSolver& solver,
                          const MatrixRef<const T>& correlation, std::vector<int64_t>& assignment) {
  if (has_nan(correlation)) {
    assignment.assign(size_t(correlation.rows), -1);
    return kNaN;
  }
  return matching == Matching::permutation ? match_permutation(solver, correlation, assignment)
                                           : match_semi(correlation, assignment);
}

template <class T>
struct Workspace {
  std::vector<T> x, y, correlation;
  std::vector<int64_t> assignment;
  AssignmentSolver solver;
};

template <class T>
void match_batch(Matching matching, const ArrayRef& x_array, const ArrayRef& y_array, double* score,
                 int64_t* assignment, int64_t* constant_units, int threads) {
  const MatrixBatch<const T> x_batch(x_array), y_batch(y_array);
  const int64_t count = x_batch.count();
  std::vector<Workspace<T>> workspaces(
      size_t(std::max<int64_t>(1, std::min<int64_t>(threads, count))));
  parallel_for(count, threads, [&](int64_t item, int worker) {
    Workspace<T>& w = workspaces[worker];
    const MatrixRef<const T> x = x_batch[item], y = y_batch[item];
    w.x.resize(size_t(x.rows * x.cols));
    w.y.resize(size_t(y.rows * y.cols));
    int64_t* constant = constant_units + 2 * item;
    constant[0] = unit_columns(x, w.x.data());
    constant[1] = unit_columns(y, w.y.data());
    int64_t* out = assignment + item * x.cols;
    if (constant[0] == x.cols || constant[1] == y.cols) {
      score[item] = kNaN;
      std::fill_n(out, x.cols, -1);
      return;
    }
    w.correlation.resize(size_t(x.cols * y.cols));
    gemm<T>(Op::transpose, Op::none, x.cols, y.cols, x.rows, T(1), w.x.data(), x.cols, w.y.data(),
            y.cols, T(0), w.correlation.data(), y.cols);
    const MatrixRef<const T> correlation{w.correlation.data(), x.cols, y.cols, y.cols, 1};
    score[item] = match_correlations(matching, w.solver, correlation, w.assignment);
    std::copy_n(w.assignment.data(), x.cols, out);
  });
}

}  // namespace

template <class T>
int64_t unit_columns(const MatrixRef<const T>& x, T* out) {
  copy_matrix(x, out);
  const int64_t n = x.rows, d = x.cols;
  std::vector<T> low(out, out + d), high(out, out + d);
  for (int64_t i = 0; i < n; ++i) {
    const T* row = out + i * d;
    for (int64_t j = 0; j < d; ++j) {
      low[j] = std::min(low[j], row[j]);
      high[j] = std::max(high[j], row[j]);
    }
  }
  // Values are measured from the least one, in units of a power of two near their spread: squares
  // neither overflow nor vanish, and equal values are exactly zero.
  std::vector<double> unit(d), origin(d), mean(d), norm(d);
  int64_t constant = 0;
  for (int64_t j = 0; j < d; ++j) {
    const double spread = double(high[j]) - double(low[j]);
    constant += spread == 0;
    if (std::isfinite(low[j]) && std::isfinite(high[j])) {
      unit[j] = spread == 0 ? 0 : std::ldexp(1.0, std::clamp(-std::ilogb(spread), -1022, 1022));
    } else {
      unit[j] = kNaN;
    }
    origin[j] = double(low[j]) * unit[j];
  }
  for (int64_t i = 0; i < n; ++i) {
    const T* row = out + i * d;
    for (int64_t j = 0; j < d; ++j) mean[j] += double(row[j]) * unit[j] - origin[j];
  }
  for (double& m : mean) m /= double(n);
  for (int64_t i = 0; i < n; ++i) {
    const T* row = out + i * d;
    for (int64_t j = 0; j < d; ++j) {
      const double centred = double(row[j]) * unit[j] - origin[j] - mean[j];
      norm[j] += centred * centred;
    }
  }
  for (double& m : norm) m = m == 0 ? 0 : 1 / std::sqrt(m);
  for (int64_t i = 0; i < n; ++i) {
    T* row = out + i * d;
    for (int64_t j = 0; j < d; ++j) {
      row[j] = T((double(row[j]) * unit[j] - origin[j] - mean[j]) * norm[j]);
    }
  }
  return constant;
}

void match_units(Matching matching, const ArrayRef& x, const ArrayRef& y, double* score,
                 int64_t* assignment, int64_t* constant_units, int threads) {
  require_same_dtype(x, y, "match_units");
  dispatch_float(x.dtype, [&](auto zero) {
    match_batch<decltype(zero)>(matching, x, y, score, assignment, constant_units, threads);
  });
}

template <class T>
void match_units_cross(Matching matching, const UnitItems<T>& a, const UnitItems<T>* b_given,
                       int64_t rows, double* score, int threads) {
  const UnitItems<T>& b = b_given ? *b_given : a;
  const int64_t cols = int64_t(b.items.size());
  const auto constant = [](const UnitItems<T>& list, int64_t k) {
    return list.constant_units[k] == list.items[k].cols;
  };
  std::vector<Workspace<T>> workspaces(size_t(std::max(threads, 1)));
  const auto visit = [&](int64_t i, int64_t j, T* product, int64_t ld, int worker) {
    Workspace<T>& w = workspaces[worker];
    const bool undefined = constant(a, i) || constant(b, j);
    const MatrixRef<const T> correlation{product, a.items[i].cols, b.items[j].cols, ld, 1};
    score[i * cols + j] =
        undefined ? kNaN : match_correlations(matching, w.solver, correlation, w.assignment);
    if (b_given) return;
    if (undefined || matching == Matching::permutation) {
      score[j * cols + i] = score[i * cols + j];
    } else {
      score[j * cols + i] = mean_column_maximum(correlation);
    }
  };
  for_each_product<T, T>(a.items, b_given ? b.items : std::vector<Item<T>>{}, rows,
                         b_given ? Pairing::cross : Pairing::symmetric, threads, visit);
  if (b_given) return;
  // Every unit that varies is its own best partner, at a correlation of 1.
  for (int64_t i = 0; i < cols; ++i) {
    const double width = double(a.items[i].cols);
    score[i * cols + i] = constant(a, i) ? kNaN : (width - double(a.constant_units[i])) / width;
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template int64_t unit_columns<T>(const MatrixRef<const T>&, T*);                                \
  template void match_units_cross<T>(Matching, const UnitItems<T>&, const UnitItems<T>*, int64_t, \
                                     double*, int);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

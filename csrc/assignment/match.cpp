#include "assignment/match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "assignment/assignment.h"
#include "assignment/unit_pairs.h"
#include "core/copy.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/ties.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Mean correlation over the pairs of the best one-to-one matching.
double match_permutation(AssignmentSolver& solver, const MatrixRef<const double>& correlation,
                         std::vector<int64_t>& assignment) {
  assignment.resize(size_t(correlation.rows));
  if (solver.solve(correlation, -1) != LapStatus::optimal) {
    throw InternalError("correlations are not finite");
  }
  solver.columns_of_rows(assignment.data());
  double sum = 0;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    if (assignment[i] >= 0) sum += correlation(i, assignment[i]);
  }
  return sum / double(std::min(correlation.rows, correlation.cols));
}

// Mean over rows of the largest correlation. The first that ties with it is the partner: equal
// units are equal partners, though their products are rounded by where they stand.
double match_semi(const MatrixRef<const double>& correlation, double tie,
                  std::vector<int64_t>& assignment) {
  assignment.resize(size_t(correlation.rows));
  double sum = 0;
  for (int64_t i = 0; i < correlation.rows; ++i) {
    double best = correlation(i, 0);
    for (int64_t j = 1; j < correlation.cols; ++j) best = std::max(best, correlation(i, j));
    int64_t first = 0;
    while (correlation(i, first) < best - tie) ++first;
    assignment[i] = first;
    sum += best;
  }
  return sum / double(correlation.rows);
}

// Mean over columns of the largest correlation, read along rows.
double mean_column_maximum(const MatrixRef<const double>& correlation) {
  std::vector<double> best(&correlation(0, 0), &correlation(0, 0) + correlation.cols);
  for (int64_t i = 1; i < correlation.rows; ++i) {
    for (int64_t j = 0; j < correlation.cols; ++j) best[j] = std::max(best[j], correlation(i, j));
  }
  return std::accumulate(best.begin(), best.end(), 0.0) / double(correlation.cols);
}

// NaN data, which only an unchecked call holds, score NaN and match nothing.
template <class T>
double match_correlations(Matching matching, AssignmentSolver& solver, const UnitPair<T>& pair,
                          std::vector<int64_t>& assignment) {
  const MatrixRef<const double>& correlation = pair.correlation;
  if (has_nan(correlation)) {
    assignment.assign(size_t(correlation.rows), -1);
    return kNaN;
  }
  return matching == Matching::permutation ? match_permutation(solver, correlation, assignment)
                                           : match_semi(correlation, kTieTolerance<T>, assignment);
}

struct Workspace {
  std::vector<int64_t> assignment;
  AssignmentSolver solver;
};

template <class T>
void score_units(Matching matching, const UnitItems<T>& a, const UnitItems<T>& b, int64_t rows,
                 int threads, double* score) {
  const bool symmetric = b.items.empty();
  const int64_t cols = int64_t((symmetric ? a : b).items.size());
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  for_each_unit_pair<T>(
      a, b, rows, threads, [&](int64_t i, int64_t j, const UnitPair<T>& pair, int worker) {
        Workspace& w = workspaces[worker];
        const double found =
            pair.constant ? kNaN : match_correlations(matching, w.solver, pair, w.assignment);
        score[i * cols + j] = found;
        if (!symmetric) return;
        const bool mirrored = matching == Matching::permutation || std::isnan(found);
        score[j * cols + i] = mirrored ? found : mean_column_maximum(pair.correlation);
      });
  if (!symmetric) return;
  // Every unit that varies is its own best partner, at a correlation of 1.
  for (int64_t i = 0; i < cols; ++i) {
    const double width = double(a.items[i].cols);
    score[i * cols + i] =
        a.matches_itself(i, rows) ? (width - double(a.constant_units[i])) / width : kNaN;
  }
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

void match_scores(const Arrays& a, const Arrays& b, const Matching& matching, int threads,
                  double* scores, const Counts& counts) {
  with_units(a, b, threads, counts, [&](const auto& left, const auto& right, int64_t rows) {
    score_units(matching, left, right, rows, threads, scores);
  });
}

void match_pairs(const ArrayRef& x, const ArrayRef& y, const Matching& matching, int threads,
                 double* scores, const Counts& counts, int64_t* assignment) {
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_unit_pair<T>(
        x, y, counts, threads, [&](int64_t item, const UnitPair<T>& pair, int worker) {
          Workspace& w = workspaces[worker];
          const int64_t units = pair.correlation.rows;
          if (pair.constant) {
            scores[item] = kNaN;
            w.assignment.assign(size_t(units), -1);
          } else {
            scores[item] = match_correlations(matching, w.solver, pair, w.assignment);
          }
          if (assignment) std::copy_n(w.assignment.data(), units, assignment + item * units);
        });
  });
}

void match_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                     const Matching& matching, int threads, double* scores) {
  for_each_reordered_units(x, y, orders, k,
                           [&](const auto& left, const auto& right, int64_t first, int64_t rows) {
                             score_units(matching, left, right, rows, threads, scores + first);
                           });
}

void unit_correlations(const ArrayRef& x, const ArrayRef& y, int threads, double* correlation,
                       const Counts& counts) {
  for_each_unit_pair<double>(x, y, counts, threads,
                             [&](int64_t item, const UnitPair<double>& pair, int) {
                               const MatrixRef<const double>& m = pair.correlation;
                               const int64_t size = m.rows * m.cols;
                               std::transform(m.data, m.data + size, correlation + item * size,
                                              [](double r) { return std::clamp(r, -1.0, 1.0); });
                             });
}

template int64_t unit_columns<float>(const MatrixRef<const float>&, float*);
template int64_t unit_columns<double>(const MatrixRef<const double>&, double*);

}  // namespace likewise

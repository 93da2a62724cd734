#include "regression/lasso.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/parallel.h"
#include "linalg/cross.h"
#include "linalg/linalg.h"
#include "regression/lasso_schedule.h"
#include "regression/lasso_solver.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kBlockColumns = 256;  // of the moments that are computed together
constexpr int64_t kGroup = 8;           // targets that share passes over the Gram matrix
constexpr int64_t kLeastProduct = 4;    // targets, whose product with a panel pays
constexpr int64_t kPanel = 48;          // rows of it that stay in the second-level cache meanwhile
std::vector<Item<double>> column_blocks(const MatrixRef<const double>& x) {
  const Item<double> whole{x.data, x.cols, nullptr, x.row_stride};
  std::vector<Item<double>> blocks;
  for (int64_t first = 0; first < x.cols; first += kBlockColumns) {
    blocks.push_back(whole.block(0, first, std::min(kBlockColumns, x.cols - first)));
  }
  return blocks;
}

LassoMoments moments_of(const MatrixRef<const double>& x, const MatrixRef<const double>& y,
                        double scale, int threads) {
  LassoMoments m{x.cols, y.cols, {}, {}, {}, {}};
  m.gram.resize(size_t(x.cols * x.cols));
  m.cross.resize(size_t(y.cols * x.cols));
  m.squares.assign(size_t(y.cols), 0.0);
  const std::vector<Item<double>> units = column_blocks(x), targets = column_blocks(y);
  for_each_product<double>(
      units, units, x.rows, Pairing::symmetric_with_self, threads,
      [&](int64_t i, int64_t j, double* block, int64_t ld, int) {
        for (int64_t r = 0; r < units[i].cols; ++r) {
          for (int64_t c = 0; c < units[j].cols; ++c) {
            const int64_t row = i * kBlockColumns + r, col = j * kBlockColumns + c;
            m.gram[row * x.cols + col] = m.gram[col * x.cols + row] = block[r * ld + c] * scale;
          }
        }
      });
  for_each_product<double>(targets, units, x.rows, Pairing::cross, threads,
                           [&](int64_t i, int64_t j, double* block, int64_t ld, int) {
                             for (int64_t r = 0; r < targets[i].cols; ++r) {
                               double* row = &m.cross[(i * kBlockColumns + r) * x.cols];
                               for (int64_t c = 0; c < units[j].cols; ++c) {
                                 row[j * kBlockColumns + c] = block[r * ld + c] * scale;
                               }
                             }
                           });
  m.inverse_diagonal.resize(size_t(x.cols));
  for (int64_t j = 0; j < x.cols; ++j) {
    const double diagonal = m.gram[j * x.cols + j];
    m.inverse_diagonal[j] = diagonal > 0 ? 1 / diagonal : 0;
  }
  for (int64_t i = 0; i < y.rows; ++i) {
    for (int64_t j = 0; j < y.cols; ++j) {
      m.squares[j] += y(i, j) * y(i, j) * scale;
    }
  }
  return m;
}

// What solvers owe after a sweep over a panel of the Gram matrix: at once for those whose residuals
// lie one after the other, unless most changes are 0.
void change_residuals(const std::vector<LassoSolver*>& solvers, int64_t units, int64_t count,
                      const double* changes, const double* panel) {
  for (size_t first = 0, end = 0; first < solvers.size(); first = end) {
    double* const residuals = solvers[first]->residual();
    while (++end < solvers.size() &&
           solvers[end]->residual() == residuals + int64_t(end - first) * units) {
    }
    const int64_t rows = int64_t(end - first);
    const double* const of_run = changes + int64_t(first) * count;
    const int64_t still = std::count(of_run, of_run + rows * count, 0.0);
    if (rows >= kLeastProduct && 2 * still < rows * count) {
      gemm<double>(Op::none, Op::none, rows, units, count, -1, of_run, count, panel, units, 1,
                   residuals, units);
      continue;
    }
    for (int64_t row = 0; row < rows; ++row) {
      solvers[first + size_t(row)]->change_residual(panel, count, of_run + row * count);
    }
  }
}

// Of dense solvers. Returns how many gaps stayed above `tolerance`.
int64_t solve_together(std::vector<LassoSolver*> pending, const LassoMoments& m, double tolerance) {
  std::vector<double> changes(pending.size() * size_t(kPanel));
  for (int64_t sweeps = 0; sweeps < kMostSweeps && !pending.empty(); ++sweeps) {
    for (int64_t first = 0; first < m.units; first += kPanel) {
      const int64_t count = std::min(kPanel, m.units - first);
      for (size_t k = 0; k < pending.size(); ++k) {
        pending[k]->sweep_panel(first, count, &changes[k * size_t(count)]);
      }
      change_residuals(pending, m.units, count, changes.data(), &m.gram[first * m.units]);
    }
    std::erase_if(pending, [&](LassoSolver* s) { return s->is_solved(tolerance); });
    for (LassoSolver* solver : pending) solver->accelerate();
    poll_interrupt();
  }
  return int64_t(pending.size());
}

bool finite(const std::vector<double>& values, int64_t first, int64_t count) {
  double zero = 0;
  for (int64_t k = first; k < first + count; ++k) zero += values[k] * 0;
  return zero == 0;
}

}  // namespace

int64_t lasso_path(const ArrayRef& x, const ArrayRef& y, const LassoOptions& options,
                   const LassoPath& out, int threads) {
  const LassoMoments moments = moments_of(MatrixBatch<const double>(x)[0],
                                          MatrixBatch<const double>(y)[0], options.scale, threads);
  const int64_t targets = moments.targets, units = moments.units;
  const int64_t count = int64_t(options.penalties.size());
  std::vector<int64_t> descending(static_cast<size_t>(count));
  std::iota(descending.begin(), descending.end(), 0);
  std::stable_sort(descending.begin(), descending.end(), [&](int64_t a, int64_t b) {
    return options.penalties[a] > options.penalties[b];
  });
  std::vector<LassoSolver> solvers(size_t(std::max(threads, 1) * kGroup), LassoSolver(moments));
  const bool finite_units = finite(moments.gram, 0, units * units);
  std::atomic<int64_t> open{0};
  std::vector<double> residuals(solvers.size() * size_t(units));
  parallel_for((targets + kGroup - 1) / kGroup, threads, [&](int64_t group, int worker) {
    std::vector<std::pair<int64_t, LassoSolver*>> usable;
    for (int64_t t = group * kGroup; t < std::min(targets, (group + 1) * kGroup); ++t) {
      if (finite_units && finite(moments.cross, t * units, units) &&
          std::isfinite(moments.squares[t])) {
        const int64_t place = worker * kGroup + int64_t(usable.size());
        usable.push_back({t, &solvers[place]});
        solvers[place].start(t, &residuals[place * units]);
        continue;
      }
      for (int64_t at = t; at < count * targets; at += targets) {
        std::fill_n(out.coefficients + at * units, units, kNaN);
        out.objective[at] = out.gap[at] = out.loss[at] = out.correlation[at] = kNaN;
      }
    }
    for (const int64_t a : descending) {
      std::vector<LassoSolver*> dense;
      for (const auto& [t, solver] : usable) {
        solver->set_out(options.penalties[a]);
        if (!solver->dense()) open += !solver->solve(options.tolerance);
        if (solver->dense()) dense.push_back(solver);
      }
      open += solve_together(dense, moments, options.tolerance);
      for (const auto& [t, solver] : usable) {
        const int64_t at = a * targets + t;
        solver->write_weights(out.coefficients + at * units);
        out.objective[at] = solver->objective();
        out.gap[at] = solver->gap();
        out.loss[at] = solver->loss();
        out.correlation[at] = solver->correlation();
      }
      poll_interrupt();
    }
  });
  return open;
}

}  // namespace likewise

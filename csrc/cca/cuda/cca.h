#pragma once

#include <cstdint>
#include <vector>

#include "cca/options.h"
#include "core/cuda/context.h"
#include "core/cuda/matrix.h"

// Canonical correlations, in double: the singular values rho of Zx'Zy, where Z = U S (S^2 +
// ridge)^-1/2 of the centred items U S V' over the directions that exist (procrustes/directions.h)
// or that have a share of the variance.

namespace likewise::cuda {

// Of every item, those of a, then of b.
struct CanonicalFindings {
  int64_t* constant_units;
  int64_t* dropped;  // directions that may be rounding; 0 where a share of the variance decides

  CanonicalFindings from(int64_t item) const { return {constant_units + item, dropped + item}; }
};

// Means of rho for all pairs, row-major. `b` is ignored with `symmetric`, which compares a with
// itself.
void cca_scores(const Context& context, const std::vector<Matrix<double>>& a,
                const std::vector<Matrix<double>>& b, int64_t rows, bool symmetric,
                const CanonicalOptions& options, double* scores, const CanonicalFindings& found);

// The same of x[k] with y[k] for `count` pairs.
void cca_pairs(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
               int64_t count, int64_t rows, const CanonicalOptions& options, double* scores,
               const CanonicalFindings& found);

// The same of x with y, its samples in each of `count` orders (count x rows): each side is
// decomposed once.
void cca_reordered(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                   int64_t rows, const int32_t* orders, int64_t count,
                   const CanonicalOptions& options, double* scores);

// All rho of these pairs, descending: out (count, min(x.cols, y.cols)), zeros beyond the rank.
void canonical_correlations(const Context& context, const Matrix<double>& x,
                            const Matrix<double>& y, int64_t count, int64_t rows,
                            const CanonicalOptions& options, double* out,
                            const CanonicalFindings& found);

}  // namespace likewise::cuda

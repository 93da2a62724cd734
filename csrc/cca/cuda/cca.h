#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"

// Canonical correlations, in double: the singular values rho of Zx'Zy, where Z = U S (S^2 +
// ridge)^-1/2 of the centred items U S V' over the values that count (see Whitening).

namespace likewise::cuda {

struct CanonicalOptions {
  double regularization, variance, epsilon;
  bool weighted;  // means of rho with weights sum_j |P_k' Zx'x_j| (Morcos, Raghu & Bengio 2018)
};

// Means of rho for all pairs, row-major. `b` is ignored with `symmetric`, which compares a with
// itself. constant_units of all items of a, then of b.
void cca_scores(const Context& context, const std::vector<Matrix<double>>& a,
                const std::vector<Matrix<double>>& b, int64_t rows, bool symmetric,
                const CanonicalOptions& options, double* scores, int64_t* constant_units);

// The same of x[k] with y[k] for `count` pairs. constant_units of all x, then of all y.
void cca_pairs(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
               int64_t count, int64_t rows, const CanonicalOptions& options, double* scores,
               int64_t* constant_units);

// The same of x with y, its samples in each of `count` orders (count x rows): each side is
// decomposed once.
void cca_reordered(const Context& context, const Matrix<double>& x, const Matrix<double>& y,
                   int64_t rows, const int32_t* orders, int64_t count,
                   const CanonicalOptions& options, double* scores);

// All rho of these pairs, descending: out (count, min(x.cols, y.cols)), zeros beyond the rank.
void canonical_correlations(const Context& context, const Matrix<double>& x,
                            const Matrix<double>& y, int64_t count, int64_t rows,
                            const CanonicalOptions& options, double* out, int64_t* constant_units);

}  // namespace likewise::cuda

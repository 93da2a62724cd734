#pragma once

#include "core/view.h"

// The decompositions of linalg.h for whole batches (..., m, n), as Python calls them. Outputs are
// contiguous, of the input's dtype and batch axes. Items are independent and run in parallel.
// A decomposition that does not converge throws ConvergenceError naming the items.

namespace likewise {

// s (..., min(m, n)), descending.
void svdvals_batch(const ArrayRef& a, const ArrayRef& s, int threads);

// Sum of the singular values, float64 (...): a backward stable reduction and a quadrature that
// does not iterate, so it cannot fail to converge.
void nuclear_norm_batch(const ArrayRef& a, const ArrayRef& out, int threads);

// A = U P with U (..., m, n) having orthonormal columns or rows and P (..., n, n) symmetric
// positive semidefinite. P is A's alone; so is U where A has full column rank.
void polar_batch(const ArrayRef& a, const ArrayRef& u, const ArrayRef& p, int threads);

// R (..., d, d) = the orthogonal matrix that minimises |A R - B|, and scale (...) = the sum of the
// singular values of A'B, for A and B (..., n, d).
void orthogonal_procrustes_batch(const ArrayRef& a, const ArrayRef& b, const ArrayRef& r,
                                 const ArrayRef& scale, int threads);

// out[k] = sum over j < i of a_ij b_(order_ki order_kj), for contiguous float64 a and b (n x n) and
// count orders of n: inner products of symmetric matrices without diagonal, one of them permuted.
void reordered_products(const double* a, const double* b, int64_t n, const int32_t* orders,
                        int64_t count, int threads, double* out);

}  // namespace likewise

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

struct Context;

// Lower triangular L with L L' = A of `count` symmetric matrices (d x d), of which the lower
// triangle is read; zeros above. Where A is not positive definite L has NaN from the first column
// on that shows it, and indefinite[item] is raised (null: nobody will look).
void cholesky(const Context& context, const double* a, int64_t count, int64_t d, double* l,
              int64_t* indefinite);

constexpr int64_t kCholeskyPanel = 32;  // columns that one launch solves

// Columns [first, first + kCholeskyPanel) of L, as far as there are some, from those of A minus
// products (count x (d - first) x columns), the part of L L' that earlier columns give; null for
// none.
cudaError_t cholesky_panel(const double* a, const double* products, int64_t count, int64_t d,
                           int64_t first, double* l, int64_t* indefinite, cudaStream_t stream);

}  // namespace likewise::cuda

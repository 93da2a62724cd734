#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "rsa/cuda/rsa.h"

namespace likewise::cuda {

// Gradients of the scores of x[k] with y[k] for `count` pairs, of the comparisons cosine, corr,
// cosine_cov and corr_cov, into grad_x (count x rows x x.cols) and grad_y; null: not wanted. NaN
// where the score is NaN; samples without direction, and equal ones under the euclidean distance,
// have none: 0.
//
// Pairs are taken one by one, in double: products of 2 n^2 d operations for the RDM and for the
// gradient of each side.
template <class T>
void rsa_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                   int64_t rows, const RsaOptions& options, T* grad_x, T* grad_y);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>
#include <vector>

// Gradients of functions of inner products or distances of samples are weighted sums of samples.

namespace likewise {

// out (n x d) = factor * W X, for W (n x n, double) and X (n x d), all row-major and contiguous.
template <class T>
void weighted_rows(int64_t n, int64_t d, double factor, const std::vector<double>& w, const T* x,
                   int threads, T* out);

// W := diag(W 1) - W for symmetric W, so that row i of W X is sum_j w_ij (x_i - x_j).
void to_laplacian(int64_t n, std::vector<double>& w);

}  // namespace likewise

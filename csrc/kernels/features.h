#pragma once

#include <vector>

#include "kernels/gram_stream.h"
#include "kernels/prepared.h"

namespace likewise {

// The sums of stream_grams for the linear kernel, from features x features products, but with the
// diagonal: sum over all p, q of K_pq L_pq = |X'Y|_F^2.
template <class T>
KernelSums feature_products(const std::vector<KernelItem<T>>& items, int64_t count_a, int threads);

// Whether that takes fewer operations than streaming the Gram matrices.
template <class T>
bool features_are_cheaper(const std::vector<KernelItem<T>>& items, int64_t count_a);

// Sum of the squares of a rows x cols block.
double squared_norm(const double* block, int64_t rows, int64_t cols, int64_t ld);

}  // namespace likewise

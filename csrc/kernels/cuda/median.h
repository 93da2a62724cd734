#pragma once

#include <cstdint>

#include "core/cuda/context.h"

namespace likewise::cuda {

// middle[0] and middle[1]: the two middle ones of the squared distances of all pairs of samples x
// (rows x cols), in these units; `centred` are these, centred, with their squared norms. pairs[k],
// where wanted: the first pair of samples p * rows + q, q < p, at distance middle[k].
template <class T>
void middle_distances(const Context& context, const T* x, const double* unit, const T* centred,
                      int64_t rows, int64_t cols, const double* norms, double* middle,
                      unsigned long long* pairs);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "rsa/cuda/rdm.h"
#include "rsa/options.h"

namespace likewise::cuda {

// As many of `count` things of so many bytes as fit, one at least.
int64_t fitting(int64_t bytes, int64_t count);

// Condensed RDMs of `count` representations (rows x cols) one behind the other, computed in double;
// `in_units`: distances stay in units of the item. `without` (count) gets the samples without
// variance (correlation) or length (cosine), which are at 1 from every other. `items` (count) is
// filled unless null.
template <class T, class Out>
void rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
          Dissimilarity dissimilarity, bool in_units, Out* out, int64_t* without, RdmItem* items);

}  // namespace likewise::cuda

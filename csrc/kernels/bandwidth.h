#pragma once

#include "kernels/prepared.h"

namespace likewise {

// Median of the distances |x_p - x_q|, p < q, of the scaled and centred samples; the mean of the
// two middle ones if their number is even. Distances are computed in T, the selection is exact.
template <class T>
double median_distance(const KernelItem<T>& item, int threads);

}  // namespace likewise

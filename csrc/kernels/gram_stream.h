#pragma once

#include <cstdint>
#include <vector>

#include "kernels/prepared.h"
#include "kernels/scaled_kernel.h"

namespace likewise {

// A kernel with what one representation makes of its parameters.
template <class T>
struct StreamItem {
  const KernelItem<T>* item;
  ScaledKernel kernel;
};

// What HSIC is made of, K and L being the kernel matrices of two items. The first `count_a` items
// are compared with the others or, where there are no others, with themselves.
struct KernelSums {
  int64_t count_a = 0, count_b = 0;
  std::vector<double> products;  // count_a x count_b: sum over p != q of K_pq L_pq;
                                 // only the lower triangle if a is compared with itself
  std::vector<double> self;      // all items: the same with K = L
  std::vector<double> diagonal;  // all items: K_pp (linear kernel only)
  std::vector<double> row_sums;  // all items: n sums over q != p of K_pq. Empty: the linear kernel
};

// Streams tiles of all kernel matrices: a slab holds some tiles of every item side by side,
// strictly lower part only, and one product of the slab with itself adds to all sums at once.
// Results do not depend on the number of threads.
// `offsets` (all items x n): K_pq less the offsets of p and of q takes the place of K_pq.
template <class T>
KernelSums stream_grams(const std::vector<StreamItem<T>>& items, int64_t count_a,
                        const KernelOptions& options, int threads, const double* offsets = nullptr);

}  // namespace likewise

#include "core/simd.h"
#include "linalg/cpu/reordered_kernels.h"

namespace likewise::LIKEWISE_ISA {
namespace {

using S = Simd<double>;

double row_product(const double* row, const double* other, const int32_t* order, int64_t count) {
  S::Vec sums[2] = {};  // two chains: one would wait for its own additions
  double rest = 0;
  int64_t j = 0;
  for (; j + 2 * S::lanes <= count; j += 2 * S::lanes) {
    sums[0] += S::load(row + j) * S::gather(other, order + j);
    sums[1] += S::load(row + j + S::lanes) * S::gather(other, order + j + S::lanes);
  }
  for (; j < count; ++j) rest += row[j] * other[order[j]];
  return S::sum(sums[0] + sums[1]) + rest;
}

void products(const double* a, const double* b, const int32_t* orders, int64_t count, int64_t n,
              double* out) {
  for (int64_t k = 0; k < count; ++k) out[k] = 0;
  for (int64_t i = 1; i < n; ++i) {
    for (int64_t k = 0; k < count; ++k) {
      const int32_t* order = orders + k * n;
      out[k] += row_product(a + i * n, b + int64_t(order[i]) * n, order, i);
    }
  }
}

}  // namespace

const ReorderedKernels reordered_kernels = {&products};

}  // namespace likewise::LIKEWISE_ISA

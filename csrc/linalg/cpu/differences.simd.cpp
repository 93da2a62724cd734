#include "linalg/cpu/differences.h"

#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

template <class T>
double square(const T* a, const T* b, int64_t count, double scale) {
  using D = Simd<double>;
  typename D::Vec sum[4] = {};
  int64_t k = 0;
  for (; k + 4 * D::lanes <= count; k += 4 * D::lanes) {
    for (int u = 0; u < 4; ++u) {
      const int64_t at = k + u * D::lanes;
      const typename D::Vec step = (D::load_as(a + at) - D::load_as(b + at)) * scale;
      sum[u] += step * step;
    }
  }
  for (; k + D::lanes <= count; k += D::lanes) {
    const typename D::Vec step = (D::load_as(a + k) - D::load_as(b + k)) * scale;
    sum[0] += step * step;
  }
  double total = D::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  for (; k < count; ++k) {
    const double step = (double(a[k]) - double(b[k])) * scale;
    total += step * step;
  }
  return total;
}

}  // namespace

const OfBoth<DifferenceKernels> difference_kernels_table = {{&square<float>}, {&square<double>}};

}  // namespace likewise::LIKEWISE_ISA

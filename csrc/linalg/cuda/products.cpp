#include "linalg/cuda/products.h"

#include "core/cuda/context.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kPart = 4096;  // entries that are summed in T

}  // namespace

int64_t product_parts(int64_t count_a, int64_t count_b, int64_t length) {
  return (length / kPart + 1) * count_a * count_b;
}

template <class T>
void add_all_products(const Context& context, const T* a, int64_t count_a, const T* b,
                      int64_t count_b, int64_t length, T* parts, double* total) {
  const int64_t size = count_a * count_b, whole = length / kPart;
  const auto multiply = [&](int64_t first, int64_t width, int64_t count) {
    gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, count_a, count_b, width,
            T(1), {a + first, length, width}, {b + first, length, width}, {parts, count_b, size},
            count);
    check(add_products<T>(parts, count, size, total, context.stream), "launch");
  };
  if (whole > 0) multiply(0, kPart, whole);
  if (length > whole * kPart) multiply(whole * kPart, length - whole * kPart, 1);
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template void add_all_products<T>(const Context&, const T*, int64_t, const T*, int64_t, int64_t, \
                                    T*, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

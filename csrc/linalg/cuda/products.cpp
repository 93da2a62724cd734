#include "linalg/cuda/products.h"

#include <algorithm>

#include "core/cuda/context.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"

namespace likewise::cuda {
namespace {

template <class T>
constexpr int64_t kPart = sizeof(T) == 4 ? 256 : 4096;  // entries that are summed in T

constexpr int64_t kPartsBytes = 32 << 20;

// Parts that are multiplied at once.
template <class T>
int64_t parts_at_once(int64_t size, int64_t length) {
  const int64_t fitting = kPartsBytes / (size * int64_t(sizeof(T)));
  return std::clamp<int64_t>(fitting, 1, length / kPart<T> + 1);
}

}  // namespace

template <class T>
int64_t product_parts(int64_t count_a, int64_t count_b, int64_t length) {
  const int64_t size = count_a * count_b;
  return parts_at_once<T>(size, length) * size;
}

template <class T>
void add_all_products(const Context& context, const T* a, int64_t count_a, const T* b,
                      int64_t count_b, int64_t length, T* parts, double* total) {
  const int64_t size = count_a * count_b, whole = length / kPart<T>;
  const int64_t most = parts_at_once<T>(size, length);
  const auto multiply = [&](int64_t first, int64_t width, int64_t count) {
    gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, count_a, count_b, width,
            T(1), {a + first, length, width}, {b + first, length, width}, {parts, count_b, size},
            count);
    add_products<T>(parts, count, size, total, context.stream);
  };
  for (int64_t k = 0; k < whole; k += most) {
    multiply(k * kPart<T>, kPart<T>, std::min(most, whole - k));
  }
  if (length > whole * kPart<T>) multiply(whole * kPart<T>, length - whole * kPart<T>, 1);
}

LIKEWISE_INSTANTIATE(product_parts);
LIKEWISE_INSTANTIATE(add_all_products);

}  // namespace likewise::cuda

#include "linalg/cuda/gemm.h"

#include <algorithm>
#include <type_traits>

#include "core/instantiate.h"

namespace likewise::cuda {

namespace {
constexpr int64_t kMostItems = 32768;  // of one call; the grid of a launch ends at 65535
}

// A row-major matrix is its transpose to cuBLAS: c' = op(b)' op(a)'.
template <class T>
void gemm(BlasContext* context, BlasOp op_a, BlasOp op_b, int64_t m, int64_t n, int64_t k, T alpha,
          const Matrices<const T>& a, const Matrices<const T>& b, const Matrices<T>& c,
          int64_t count) {
  const T zero = 0;
  constexpr int kMath = std::is_same_v<T, float> ? kPedanticMath : kDefaultMath;
  check_blas(blas().set_math_mode(context, kMath), "math mode");
  for (int64_t first = 0; first < count; first += kMostItems) {
    const int items = int(std::min(kMostItems, count - first));
    const auto call = [&](auto function) {
      check_blas(
          function(context, int(op_b), int(op_a), int(n), int(m), int(k), &alpha,
                   b.data + first * b.step, int(b.ld), b.step, a.data + first * a.step, int(a.ld),
                   a.step, &zero, c.data + first * c.step, int(c.ld), c.step, items),
          "gemm");
    };
    if constexpr (std::is_same_v<T, float>) {
      call(blas().sgemm);
    } else {
      call(blas().dgemm);
    }
  }
}

LIKEWISE_INSTANTIATE(gemm);

}  // namespace likewise::cuda

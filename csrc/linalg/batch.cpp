#include "linalg/batch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/copy.h"
#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/bidiagonal.h"
#include "linalg/cpu/reordered_kernels.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

template <class T>
std::vector<T> copied(const MatrixRef<const T>& a) {
  std::vector<T> out(size_t(a.rows * a.cols));
  copy_matrix(a, out.data());
  return out;
}

// The same times 2^exponent, so that neither products nor sums overflow or vanish.
template <class T>
struct Scaled {
  std::vector<T> data;
  int exponent;

  explicit Scaled(const MatrixRef<const T>& a) : data(copied(a)) {
    const double factor = unit_factor(a.rows, a.cols, data.data(), a.cols);
    exponent = std::ilogb(factor);
    if (exponent == 0) return;
    for (T& value : data) value = T(double(value) * factor);
  }
};

// Runs body(item) -> converged for every item and reports those that did not converge.
template <class Body>
void for_each_item(int64_t count, int threads, const Body& body) {
  Failures failures;
  parallel_for(count, threads, [&](int64_t item, int worker) {
    if (!body(item, worker)) failures.add("item " + std::to_string(item));
  });
  failures.raise("the singular value decomposition");
}

}  // namespace

void svdvals_batch(const ArrayRef& a, const ArrayRef& s, int threads) {
  dispatch_float(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(a);
    const int64_t m = a.shape[a.ndim - 2], n = a.shape[a.ndim - 1], r = std::min(m, n);
    for_each_item(batch.count(), threads, [&](int64_t item, int) {
      std::vector<T> work = copied(batch[item]);
      return singular_values<T>(m, n, work.data(), n, static_cast<T*>(s.data) + item * r);
    });
  });
}

void nuclear_norm_batch(const ArrayRef& a, const ArrayRef& out, int threads) {
  dispatch_float(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(a);
    std::vector<BidiagonalReduction<double>> reductions(std::max(threads, 1));
    parallel_for(batch.count(), threads, [&](int64_t item, int worker) {
      const std::vector<T> work = copied(batch[item]);
      const MatrixRef<const T> shape = batch[item];
      const double factor = unit_factor(shape.rows, shape.cols, work.data(), shape.cols);
      static_cast<double*>(out.data)[item] =
          nuclear_norm(
              reductions[worker].reduce(shape.rows, shape.cols, work.data(), shape.cols, factor)) /
          factor;
    });
  });
}

void polar_batch(const ArrayRef& a, const ArrayRef& u, const ArrayRef& p, int threads) {
  dispatch_float(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(a);
    const int64_t m = a.shape[a.ndim - 2], n = a.shape[a.ndim - 1], r = std::min(m, n);
    for_each_item(batch.count(), threads, [&](int64_t item, int) {
      Scaled<T> work(batch[item]);
      std::vector<T> s(static_cast<size_t>(r)), left(size_t(m * r)), vt(size_t(r * n));
      if (!svd<T>(m, n, work.data.data(), n, s.data(), left.data(), vt.data())) return false;
      gemm<T>(Op::none, Op::none, m, n, r, 1, left.data(), r, vt.data(), n, 0,
              static_cast<T*>(u.data) + item * m * n, n);
      std::vector<T> scaled = vt;
      for (int64_t k = 0; k < r; ++k) {
        for (int64_t j = 0; j < n; ++j) scaled[k * n + j] *= s[k];
      }
      T* out = static_cast<T*>(p.data) + item * n * n;
      gemm<T>(Op::transpose, Op::none, n, n, r, 1, vt.data(), n, scaled.data(), n, 0, out, n);
      const double unit = std::ldexp(1.0, -work.exponent);
      for (int64_t k = 0; k < n * n; ++k) out[k] = T(double(out[k]) * unit);
      return true;
    });
  });
}

void orthogonal_procrustes_batch(const ArrayRef& a, const ArrayRef& b, const ArrayRef& r,
                                 const ArrayRef& scale, int threads) {
  require_same_dtype(a, b, "orthogonal_procrustes");
  dispatch_float(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch_a(a), batch_b(b);
    const int64_t n = a.shape[a.ndim - 2], d = a.shape[a.ndim - 1];
    for_each_item(batch_a.count(), threads, [&](int64_t item, int) {
      const Scaled<T> left(batch_a[item]), right(batch_b[item]);
      std::vector<T> product(size_t(d * d)), s(d), u(size_t(d * d)), vt(size_t(d * d));
      gemm<T>(Op::transpose, Op::none, d, d, n, 1, left.data.data(), d, right.data.data(), d, 0,
              product.data(), d);
      if (!svd<T>(d, d, product.data(), d, s.data(), u.data(), vt.data())) return false;
      gemm<T>(Op::none, Op::none, d, d, d, 1, u.data(), d, vt.data(), d, 0,
              static_cast<T*>(r.data) + item * d * d, d);
      const double sum = std::accumulate(s.begin(), s.end(), 0.0);
      static_cast<T*>(scale.data)[item] = T(std::ldexp(sum, -left.exponent - right.exponent));
      return true;
    });
  });
}

void reordered_products(const double* a, const double* b, int64_t n, const int32_t* orders,
                        int64_t count, int threads, double* out) {
  constexpr int64_t kTogether = 8;
  const ReorderedKernels& kernels = reordered_kernels_for_this_cpu();
  parallel_for((count + kTogether - 1) / kTogether, threads, [&](int64_t task, int) {
    const int64_t first = task * kTogether, together = std::min(kTogether, count - first);
    kernels.products(a, b, orders + first * n, together, n, out + first);
    poll_interrupt();
  });
}

}  // namespace likewise

#include "kernels/cpu/row_kernels.h"

#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

template <class T>
void column_statistics(const T* x, int64_t ld, int64_t rows, int64_t cols, double* __restrict sum,
                       T* __restrict low, T* __restrict high) {
  auto widen = [&](int64_t j, T value) {
    low[j] = value < low[j] ? value : low[j];
    high[j] = value > high[j] ? value : high[j];
  };
  int64_t i = 0;
  for (; i + 2 <= rows; i += 2) {
    const T* p = x + i * ld;
    const T* q = p + ld;
    for (int64_t j = 0; j < cols; ++j) {
      sum[j] += double(p[j]) + double(q[j]);
      widen(j, p[j]);
      widen(j, q[j]);
    }
  }
  for (; i < rows; ++i) {
    const T* p = x + i * ld;
    for (int64_t j = 0; j < cols; ++j) {
      sum[j] += double(p[j]);
      widen(j, p[j]);
    }
  }
}

template <class T>
void centre(const T* x, int64_t ld, int64_t rows, int64_t cols, const T* __restrict mean,
            const T* __restrict rest, T scale, T* __restrict out, int64_t out_ld) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* __restrict from = x + i * ld;
    T* __restrict to = out + i * out_ld;
    for (int64_t j = 0; j < cols; ++j) to[j] = ((from[j] - mean[j]) - rest[j]) * scale;
  }
}

template <class T>
void squared_norms(const T* x, int64_t ld, int64_t rows, int64_t cols, double* norms) {
  using D = Simd<double>;
  typedef T Narrow
      __attribute__((vector_size(D::lanes * sizeof(T)), aligned(sizeof(T)), may_alias));
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * ld;
    typename D::Vec sum[2] = {};
    int64_t j = 0;
    for (; j + 2 * D::lanes <= cols; j += 2 * D::lanes) {
      for (int u = 0; u < 2; ++u) {
        const Narrow narrow = *reinterpret_cast<const Narrow*>(row + j + u * D::lanes);
        const typename D::Vec v = __builtin_convertvector(narrow, typename D::Vec);
        sum[u] += v * v;
      }
    }
    double total = D::sum(sum[0] + sum[1]);
    for (; j < cols; ++j) total += double(row[j]) * double(row[j]);
    norms[i] = total;
  }
}

template <class T>
double dot(const T* a, const T* b, int64_t count) {
  using S = Simd<T>;
  constexpr int64_t kStep = 4 * S::lanes;
  constexpr int64_t kBlock = 16 * kStep;
  double total = 0;
  int64_t k = 0;
  while (k + kStep <= count) {
    const int64_t end = count - k < kBlock ? count - kStep + 1 : k + kBlock;
    typename S::Vec sum[4] = {};
    for (; k < end; k += kStep) {
      for (int u = 0; u < 4; ++u) {
        sum[u] += S::load(a + k + u * S::lanes) * S::load(b + k + u * S::lanes);
      }
    }
    total += double(S::sum((sum[0] + sum[1]) + (sum[2] + sum[3])));
  }
  for (; k < count; ++k) total += double(a[k]) * double(b[k]);
  return total;
}

template <class T>
constexpr RowKernels<T> table() {
  return {&column_statistics<T>, &centre<T>, &squared_norms<T>, &dot<T>};
}

}  // namespace

const RowKernelTable row_kernel_table = {table<float>(), table<double>()};

}  // namespace likewise::LIKEWISE_ISA

#include "kernels/cpu/row_kernels.h"

#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

template <class T>
void column_statistics(const T* x, int64_t ld, int64_t rows, int64_t cols,
                       const T* __restrict origin, double* __restrict sum, T* __restrict low,
                       T* __restrict high) {
  auto widen = [&](int64_t j, T value) {
    low[j] = value < low[j] ? value : low[j];
    high[j] = value > high[j] ? value : high[j];
  };
  int64_t i = 0;
  for (; i + 2 <= rows; i += 2) {
    const T* p = x + i * ld;
    const T* q = p + ld;
    for (int64_t j = 0; j < cols; ++j) {
      sum[j] += (double(p[j]) - double(origin[j])) + (double(q[j]) - double(origin[j]));
      widen(j, p[j]);
      widen(j, q[j]);
    }
  }
  for (; i < rows; ++i) {
    const T* p = x + i * ld;
    for (int64_t j = 0; j < cols; ++j) {
      sum[j] += double(p[j]) - double(origin[j]);
      widen(j, p[j]);
    }
  }
}

// Rows are short pieces of long ones, which hardware does not prefetch well.
constexpr int64_t kRowsAhead = 4;

template <class T>
void centre(const T* x, int64_t ld, int64_t rows, int64_t cols, const T* __restrict mean,
            const T* __restrict rest, T scale, T* __restrict out, int64_t out_ld) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* __restrict from = x + i * ld;
    T* __restrict to = out + i * out_ld;
    if (i + kRowsAhead < rows) {
      const T* ahead = from + kRowsAhead * ld;
      for (int64_t j = 0; j < cols; j += 64 / int64_t(sizeof(T))) __builtin_prefetch(ahead + j);
    }
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

// The sums over the lanes of four vectors.
template <class S, class T>
inline void sum_lanes(typename S::Vec (&v)[4], T* sums) {
  exchange<1, S>(v[0], v[1]);
  exchange<1, S>(v[2], v[3]);
  typename S::Vec low = v[0] + v[1], high = v[2] + v[3];
  if constexpr (S::lanes == 2) {
    S::store(sums, low);
    S::store(sums + 2, high);
  } else {
    exchange<2, S>(low, high);
    T lanes[S::lanes];
    S::store(lanes, low + high);
    for (int i = 0; i < 4; ++i) {
      sums[i] = lanes[i];
      for (int k = i + 4; k < S::lanes; k += 4) sums[i] += lanes[k];
    }
  }
}

// sums[c][r] = a_r'b_c for four rows of a and three of b.
template <class T>
inline void multiply_tile(const T* const (&a)[4], const T* const (&b)[3], int64_t length,
                          T (&sums)[3][4]) {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  Vec sum[3][4];
  for (auto& column : sum) {
    for (Vec& v : column) v = Vec{};
  }
  int64_t k = 0;
  for (; k + S::lanes <= length; k += S::lanes) {
    Vec column[3];
    for (int c = 0; c < 3; ++c) column[c] = S::load(b[c] + k);
    for (int r = 0; r < 4; ++r) {
      const Vec row = S::load(a[r] + k);
      for (int c = 0; c < 3; ++c) sum[c][r] += row * column[c];
    }
  }
  for (int c = 0; c < 3; ++c) sum_lanes<S>(sum[c], sums[c]);
  for (; k < length; ++k) {
    for (int c = 0; c < 3; ++c) {
      for (int r = 0; r < 4; ++r) sums[c][r] += a[r][k] * b[c][k];
    }
  }
}

// Columns at a time: long enough to hide the sums over lanes, short enough for 150 rows to stay in
// a second-level cache and for sums of floats to stay exact to 4e-8.
constexpr int64_t kProductBytes = 3072;

template <class T>
void add_products(const T* a, int64_t lda, int64_t rows_a, const T* b, int64_t ldb, int64_t rows_b,
                  int64_t length, int64_t diagonal, double* out, int64_t ldo) {
  constexpr int64_t kStep = kProductBytes / int64_t(sizeof(T));
  for (int64_t first = 0; first < length; first += kStep) {
    const int64_t width = length - first < kStep ? length - first : kStep;
    for (int64_t i = 0; i < rows_a; i += 4) {
      const T* row[4];
      for (int64_t r = 0; r < 4; ++r) {
        row[r] = a + (i + r < rows_a ? i + r : rows_a - 1) * lda + first;
      }
      for (int64_t j = 0; j < rows_b && j <= i + 3 + diagonal; j += 3) {
        const T* column[3];
        for (int64_t c = 0; c < 3; ++c) {
          column[c] = b + (j + c < rows_b ? j + c : rows_b - 1) * ldb + first;
        }
        T sums[3][4];
        multiply_tile<T>(row, column, width, sums);
        for (int64_t r = 0; r < 4 && i + r < rows_a; ++r) {
          for (int64_t c = 0; c < 3 && j + c < rows_b; ++c)
            out[(i + r) * ldo + j + c] += sums[c][r];
        }
      }
    }
  }
}

template <class T>
constexpr RowKernels<T> table() {
  return {&column_statistics<T>, &centre<T>, &squared_norms<T>, &dot<T>, &add_products<T>};
}

}  // namespace

const OfBoth<RowKernels> row_kernels_table = {table<float>(), table<double>()};

}  // namespace likewise::LIKEWISE_ISA

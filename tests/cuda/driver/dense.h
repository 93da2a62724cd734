#pragma once

// Dense linear algebra of the CPU, in double.

#include "driver.h"
#include "linalg/linalg.h"

namespace likewise::cuda::driver {

using Numbers = std::vector<double>;

// Item k of equally large ones.
template <class T>
Numbers item_of(const std::vector<T>& all, int64_t k, int64_t size) {
  return {all.begin() + k * size, all.begin() + (k + 1) * size};
}

// a b, a' b or a b', the product being m x n.
inline Numbers product(Op op_a, const Numbers& a, Op op_b, const Numbers& b, int64_t m, int64_t n) {
  const int64_t k = int64_t(a.size()) / m;
  Numbers out(size_t(m * n));
  gemm<double>(op_a, op_b, m, n, k, 1.0, a.data(), op_a == Op::none ? k : m, b.data(),
               op_b == Op::none ? n : k, 0.0, out.data(), n);
  return out;
}

inline Numbers unit_matrix(int64_t n) {
  Numbers out(size_t(n * n));
  for (int64_t k = 0; k < n; ++k) out[size_t(k * n + k)] = 1;
  return out;
}

// Of a (rows x cols), descending.
inline Numbers values_of(Numbers a, int64_t rows, int64_t cols) {
  Numbers out(size_t(std::min(rows, cols)));
  expect(likewise::singular_values<double>(rows, cols, a.data(), cols, out.data()), "CPU's SVD");
  return out;
}

// Rows, all or but one of them, that are orthonormal.
template <class T>
void expect_orthonormal(const std::vector<T>& rows, int64_t count, double tolerance,
                        const char* what) {
  const Numbers wide(rows.begin(), rows.end());
  agree(product(Op::none, wide, Op::transpose, wide, count, count), unit_matrix(count), tolerance,
        what);
}

// Columns (n x m, a row each) with left vectors u (n x m), right ones v (n x n) and values.
template <class T>
void expect_decomposed(const Numbers& columns, int64_t m, const std::vector<T>& u,
                       const std::vector<T>& v, const std::vector<T>& values, double tolerance) {
  const int64_t n = int64_t(columns.size()) / m;
  expect_orthonormal(u, n, tolerance, "left singular vectors");
  expect_orthonormal(v, n, tolerance, "right singular vectors");
  Numbers scaled(v.begin(), v.end());
  for (int64_t k = 0; k < n * n; ++k) scaled[size_t(k)] *= double(values[size_t(k / n)]);
  agree(product(Op::transpose, scaled, Op::none, {u.begin(), u.end()}, n, m), columns, tolerance,
        "product of the factors");
  Numbers sorted(values.begin(), values.end());
  std::sort(sorted.rbegin(), sorted.rend());
  agree(sorted, values_of(columns, n, m), tolerance, "singular values");
}

template <class T>
bool all_nan(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T value) { return std::isnan(value); });
}

template <class T>
std::vector<T> transposed(const std::vector<T>& a, int64_t count, int64_t rows, int64_t cols) {
  std::vector<T> out(a.size());
  for (int64_t k = 0; k < count * rows * cols; ++k) {
    const int64_t item = k / (rows * cols), i = k / cols % rows, j = k % cols;
    out[size_t((item * cols + j) * rows + i)] = a[size_t(k)];
  }
  return out;
}

}  // namespace likewise::cuda::driver

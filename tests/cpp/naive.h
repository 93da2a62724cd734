#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/view.h"

// Slow row-major matrices in double that the tests compare the engine with.

namespace likewise::testing {

struct Matrix {
  int64_t rows, cols;
  std::vector<double> data;

  Matrix(int64_t r, int64_t c) : rows(r), cols(c), data(size_t(r * c), 0.0) {}
  double& operator()(int64_t i, int64_t j) { return data[size_t(i * cols + j)]; }
  double operator()(int64_t i, int64_t j) const { return data[size_t(i * cols + j)]; }

  // Row-major with leading dimension ld >= cols; the gaps are filled with `gap`.
  template <class T>
  std::vector<T> padded(int64_t ld, T gap = T(0)) const {
    std::vector<T> out(size_t(rows * ld), gap);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) out[size_t(i * ld + j)] = T((*this)(i, j));
    }
    return out;
  }
};

// The contiguous array of this shape over `data`.
template <class T>
ArrayRef array_of(std::vector<T>& data, const std::vector<int64_t>& shape) {
  ArrayRef array{data.data(), sizeof(T) == 4 ? DType::float32 : DType::float64, int(shape.size())};
  int64_t stride = 1;
  for (int k = array.ndim - 1; k >= 0; --k) {
    array.shape[k] = shape[size_t(k)];
    array.strides[k] = stride;
    stride *= shape[size_t(k)];
  }
  return array;
}

// Reproducible values in (-1, 1) that float holds exactly.
inline Matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
  Matrix m(rows, cols);
  uint64_t state = seed * 2 + 1;
  for (double& x : m.data) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = double(int64_t(state >> 44)) / double(1 << 19) - 1.0;
  }
  return m;
}

inline Matrix transposed(const Matrix& a) {
  Matrix t(a.cols, a.rows);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  }
  return t;
}

inline Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t k = 0; k < a.cols; ++k) {
      for (int64_t j = 0; j < b.cols; ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

// The largest |a(i, j) - b[i * ld + j]|; NaN counts as infinite.
template <class T>
double largest_difference(const Matrix& a, const T* b, int64_t ld) {
  double largest = 0;
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) {
      const double difference = std::abs(a(i, j) - double(b[i * ld + j]));
      if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
    }
  }
  return largest;
}

// Rounding of a sum of about 100 terms of size 1.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;

}  // namespace likewise::testing

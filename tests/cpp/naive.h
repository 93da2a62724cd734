#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "core/counts.h"
#include "core/view.h"

// Slow row-major matrices in double that the tests compare the engine with.

namespace likewise::testing {

struct Matrix {
  int64_t rows, cols;
  std::vector<double> data;

  Matrix(int64_t r, int64_t c, double fill = 0) : rows(r), cols(c), data(size_t(r * c), fill) {}
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

// Representations as measures take them.
template <class T>
struct Items {
  std::vector<std::vector<T>> values;
  Arrays arrays;

  explicit Items(const std::vector<Matrix>& items) {
    for (const Matrix& item : items) {
      values.push_back(item.padded<T>(item.cols));
      arrays.push_back(array_of(values.back(), {item.rows, item.cols}));
    }
  }
};

// What a call counts: kinds x items, zeros before it.
struct Counted : Counts {
  std::vector<int64_t> counts;

  Counted(int64_t kinds_given, size_t items_given) : counts(size_t(kinds_given) * items_given, 0) {
    data = counts.data();
    kinds = kinds_given;
    items = int64_t(items_given);
  }
};

// The order that they have and another one, of n samples.
inline std::vector<int32_t> two_orders(int64_t n) {
  std::vector<int32_t> orders(size_t(2 * n));
  for (int64_t i = 0; i < n; ++i) {
    orders[size_t(i)] = int32_t(i);
    orders[size_t(n + i)] = int32_t((i + n / 3) % n);
  }
  return orders;
}

inline Matrix reordered(const Matrix& x, const int32_t* order) {
  Matrix out(x.rows, x.cols);
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) out(i, j) = x(order[i], j);
  }
  return out;
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

// The functions of a measure, whose scores must agree: of lists, of pairs and of orders.
template <class T, class Options>
struct Ways {
  void (*of_lists)(const Arrays&, const Arrays&, const Options&, int, double*, const Counts&);
  void (*of_pairs)(const ArrayRef&, const ArrayRef&, const Options&, int, double*, const Counts&);
  int64_t kinds;
  double tolerance;

  // Returns the scores of a with b.
  std::vector<double> agree(const Items<T>& a, const Items<T>& b, const Options& options,
                            bool symmetric = true) const {
    const size_t m = a.arrays.size(), n = b.arrays.size();
    std::vector<double> crossed(m * n, NAN), own(m * m, NAN), both(m * m, NAN);
    for (const int threads : {1, 3}) {
      of_lists(a.arrays, b.arrays, options, threads, crossed.data(), Counted(kinds, m + n));
      of_lists(a.arrays, {}, options, threads, own.data(), Counted(kinds, m));
      of_lists(a.arrays, a.arrays, options, threads, both.data(), Counted(kinds, 2 * m));
      for (size_t k = 0; k < own.size(); ++k) CHECK_SAME(own[k], both[k], tolerance);
      for (size_t k = 0; symmetric && k < own.size(); ++k) {
        CHECK_SAME(own[k], own[k % m * m + k / m], tolerance);
      }
      for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
          double single = NAN;
          of_pairs(a.arrays[i], b.arrays[j], options, threads, &single, Counted(kinds, 2));
          CHECK_SAME(crossed[i * n + j], single, tolerance);
        }
      }
    }
    return crossed;
  }
};

}  // namespace likewise::testing

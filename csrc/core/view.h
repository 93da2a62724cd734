#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/error.h"

namespace likewise {

enum class DType { float32, float64 };

constexpr int kMaxDims = 16;

// A borrowed n-dimensional array of any layout. Strides count elements, may be zero (broadcast)
// or negative. The owner keeps the memory alive for the duration of the call.
struct ArrayRef {
  void* data = nullptr;
  DType dtype = DType::float64;
  int ndim = 0;
  std::array<int64_t, kMaxDims> shape{};
  std::array<int64_t, kMaxDims> strides{};

  int64_t size() const {
    int64_t n = 1;
    for (int k = 0; k < ndim; ++k) n *= shape[k];
    return n;
  }
};

// A borrowed matrix: element (i, j) is data[i * row_stride + j * col_stride].
template <class T>
struct MatrixRef {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t row_stride = 0;
  int64_t col_stride = 1;

  T& operator()(int64_t i, int64_t j) const { return data[i * row_stride + j * col_stride]; }
  bool rows_contiguous() const { return col_stride == 1 || cols <= 1; }
  MatrixRef transposed() const { return {data, cols, rows, col_stride, row_stride}; }
};

// The array's last two axes as matrices, its leading axes as one flattened batch.
// Offsets are 64-bit: a batch may hold more than 2^31 elements.
template <class T>
class MatrixBatch {
 public:
  explicit MatrixBatch(const ArrayRef& array) : array_(array) {
    if (array.ndim < 2) throw InternalError("a matrix was expected, got fewer than two axes");
  }

  int64_t count() const {
    int64_t n = 1;
    for (int k = 0; k < array_.ndim - 2; ++k) n *= array_.shape[k];
    return n;
  }

  MatrixRef<T> operator[](int64_t item) const {
    int64_t offset = 0;
    for (int k = array_.ndim - 3; k >= 0; --k) {
      offset += (item % array_.shape[k]) * array_.strides[k];
      item /= array_.shape[k];
    }
    const int r = array_.ndim - 2, c = array_.ndim - 1;
    return {static_cast<T*>(array_.data) + offset, array_.shape[r], array_.shape[c],
            array_.strides[r], array_.strides[c]};
  }

 private:
  ArrayRef array_;
};

// Representations (n, d) of one dtype.
using Arrays = std::vector<ArrayRef>;

template <class T>
std::vector<MatrixRef<const T>> matrices(const Arrays& arrays) {
  std::vector<MatrixRef<const T>> out;
  out.reserve(arrays.size());
  for (const ArrayRef& array : arrays) out.push_back(MatrixBatch<const T>(array)[0]);
  return out;
}

inline Arrays joined(const Arrays& a, const Arrays& b) {
  Arrays all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

}  // namespace likewise

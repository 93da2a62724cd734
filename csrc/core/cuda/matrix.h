#pragma once

#include <cstdint>

namespace likewise::cuda {

// A representation (samples x cols) in device memory, contiguous.
template <class T>
struct Matrix {
  const T* data;
  int64_t cols;
};

// Representations (samples x cols) one behind the other.
template <class T>
struct Batch {
  const T* data;
  int64_t count, cols;
};

}  // namespace likewise::cuda

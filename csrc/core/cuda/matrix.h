#pragma once

#include <cstdint>

namespace likewise::cuda {

// A representation (samples x cols) in device memory, contiguous.
template <class T>
struct Matrix {
  const T* data;
  int64_t cols;
};

}  // namespace likewise::cuda

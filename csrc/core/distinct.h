#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/view.h"

namespace likewise {

// The matrices of a batch, those that zero strides repeat once.
template <class T>
class DistinctItems {
 public:
  explicit DistinctItems(const ArrayRef& array) : array_(array) {
    ArrayRef once = array;
    int64_t count = 1;
    for (int k = array.ndim - 3; k >= 0; --k) {
      if (array.strides[k] == 0) once.shape[k] = std::min<int64_t>(once.shape[k], 1);
      steps_[k] = once.shape[k] > 1 ? count : 0;
      count *= once.shape[k];
    }
    const MatrixBatch<const T> batch(once);
    for (int64_t k = 0; k < count; ++k) items.push_back(batch[k]);
  }

  int64_t places() const { return MatrixBatch<const T>(array_).count(); }

  // Which item stands at a place of the batch.
  int64_t at(int64_t place) const {
    int64_t item = 0;
    for (int k = array_.ndim - 3; k >= 0; --k) {
      item += place % array_.shape[k] * steps_[k];
      place /= array_.shape[k];
    }
    return item;
  }

  std::vector<MatrixRef<const T>> items;

 private:
  ArrayRef array_;
  std::array<int64_t, kMaxDims> steps_{};
};

}  // namespace likewise

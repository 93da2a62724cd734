#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "core/cuda/scratch.h"

// Grids of scores of all pairs of two lists of representations.

namespace likewise::cuda {

// Where items (rows x cols[k]) lie that are kept one behind the other.
class Layout {
 public:
  Layout(int64_t rows, const std::vector<int64_t>& cols) : rows_(rows), cols_(cols) {
    for (const int64_t width : cols) {
      begins_.push_back(size_);
      size_ += rows * width;
    }
  }

  int64_t count() const { return int64_t(cols_.size()); }
  int64_t size() const { return size_; }  // of all
  int64_t cols(int64_t k) const { return cols_[k]; }
  int64_t begin(int64_t k) const { return begins_[k]; }
  int64_t size(int64_t k) const { return rows_ * cols_[k]; }

  // Behind the last of the items from `first` that are as wide as it.
  int64_t end_of_run(int64_t first) const {
    int64_t end = first + 1;
    while (end < count() && cols_[end] == cols_[first]) ++end;
    return end;
  }

 private:
  int64_t rows_, size_ = 0;
  std::vector<int64_t> cols_, begins_;
};

template <class T>
std::vector<int64_t> columns_of(const std::vector<Matrix<T>>& items) {
  std::vector<int64_t> cols;
  for (const Matrix<T>& item : items) cols.push_back(item.cols);
  return cols;
}

// Calls body(context, data, first, count) for all items (rows x cols), those of equal width that
// follow each other gathered into one batch, as many as fit.
template <class T, class Body>
void for_each_batch(const Context& context, const std::vector<Matrix<T>>& items, int64_t rows,
                    Body&& body) {
  Scratch scratch(context);
  for (size_t first = 0, end; first < items.size(); first = end) {
    const int64_t size = rows * items[first].cols;
    const size_t most = size_t(std::max<int64_t>(kWorkBytes / (size * int64_t(sizeof(T))), 1));
    end = first + 1;
    while (end < items.size() && end - first < most && items[end].cols == items[first].cols) ++end;
    const Context& inner = scratch.next();
    if (end == first + 1) {
      body(inner, items[first].data, first, int64_t{1});
      continue;
    }
    T* const batch = inner.temporary<T>((end - first) * size_t(size));
    for (size_t k = first; k < end; ++k) {
      check(cudaMemcpyAsync(batch + int64_t(k - first) * size, items[k].data,
                            size_t(size) * sizeof(T), cudaMemcpyDeviceToDevice, inner.stream),
            "copy");
    }
    body(inner, static_cast<const T*>(batch), first, int64_t(end - first));
  }
}

enum class GridPart { all, upper, upper_without_diagonal };

// Calls body(i, first, count) for every item i of `left` with every run of equally wide items
// [first, first + count) of `right` that lies in this part of the grid.
template <class Body>
void for_each_run(const Layout& left, const Layout& right, GridPart part, Body&& body) {
  for (int64_t i = 0; i < left.count(); ++i) {
    const int64_t begin = part == GridPart::all ? 0 : part == GridPart::upper ? i : i + 1;
    for (int64_t j = begin, end; j < right.count(); j = end) {
      end = right.end_of_run(j);
      body(i, j, end - j);
    }
  }
}

// Copies the upper triangle of a square grid of scores to its lower one.
void mirror_upper(double* scores, int64_t count, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "linalg/cross.h"

// Prepared items whose samples change places: permutation tests prepare both sides once.

namespace likewise {

// Calls body(copies, first) for blocks of copies of data (rows x cols), its rows in the orders
// [first, first + copies.size()) of k, each (rows). Few enough copies to stay in the cache.
template <class T, class Body>
void for_each_reordered(const T* data, int64_t rows, int64_t cols, const int32_t* orders, int64_t k,
                        const Body& body) {
  constexpr int64_t kCopies = 8, kBytes = int64_t{16} << 20;
  const int64_t size = rows * cols, bytes = std::max<int64_t>(size * int64_t(sizeof(T)), 1);
  const int64_t most = std::clamp<int64_t>(kBytes / bytes, 1, kCopies);
  std::vector<T> there(size_t(std::min(most, k) * size));
  for (int64_t first = 0; first < k; first += most) {
    const int64_t count = std::min(most, k - first);
    std::vector<Item<T>> copies;
    for (int64_t c = 0; c < count; ++c) {
      const int32_t* const order = orders + (first + c) * rows;
      T* const to = there.data() + c * size;
      for (int64_t i = 0; i < rows; ++i) std::copy_n(data + order[i] * cols, cols, to + i * cols);
      copies.push_back({to, cols});
    }
    body(copies, first);
    poll_interrupt();
  }
}

}  // namespace likewise

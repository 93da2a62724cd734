#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace likewise {

// Which pairs of two lists are wanted. `symmetric` is one list against itself, i < j only;
// `symmetric_with_self` has the pairs i == j too.
enum class Pairing { paired, cross, symmetric, symmetric_with_self };

// A prepared representation: rows x cols, row-major. All items of one call share their number of
// rows (samples). One that is not (strided, not yet centred) gives `read` instead of data: it
// writes rows [row, row + count) to `out`, on any thread and several times.
template <class T>
struct Item {
  const T* data;
  int64_t cols;
  std::function<void(int64_t row, int64_t count, T* out, int64_t ld)> read = nullptr;
  int64_t ld = 0;  // elements from one row of data to the next; 0: cols

  int64_t row_stride() const { return ld ? ld : cols; }
  // These columns of the rows from `row` on, in place; for items with data.
  Item block(int64_t row, int64_t first, int64_t width) const {
    return {data + row * row_stride() + first, width, nullptr, row_stride()};
  }
};

// Called once per wanted pair with M = A_i' B_j (cols_i x cols_j, row-major, leading dimension ld);
// M is the callee's to overwrite within its cols_i x cols_j block and gone after the call.
// `worker` is in [0, threads): calls of one worker never overlap.
using ProductVisitor =
    std::function<void(int64_t i, int64_t j, double* product, int64_t ld, int worker)>;

// Products of all wanted pairs, narrow items merged side by side into one large GEMM.
// `b` is ignored (may be empty) for the symmetric pairings. Floats are multiplied in float over
// blocks of 256 samples, which are summed in double: that keeps 1e-9 .. 1e-8 of relative accuracy
// at sgemm's speed.
template <class T>
void for_each_product(const std::vector<Item<T>>& a, const std::vector<Item<T>>& b, int64_t rows,
                      Pairing pairing, int threads, const ProductVisitor& visit);

// The same for one pair: m is cols_a x cols_b with leading dimension cols_b, and stays valid in the
// workspace until its next use.
template <class T>
struct ProductWorkspace {
  std::vector<T> left, right, block;
  std::vector<double> product;
};

template <class T>
double* product(const Item<T>& a, const Item<T>& b, int64_t rows, ProductWorkspace<T>& workspace);

}  // namespace likewise

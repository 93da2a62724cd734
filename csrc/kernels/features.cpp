#include "kernels/features.h"

#include <numeric>

#include "kernels/prepared.h"
#include "linalg/cross.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

// Items of no more samples and no more units together are multiplied in one go.
constexpr int64_t kFewSamples = 256, kFewUnits = 96;

template <class T>
using Iterator = typename std::vector<KernelItem<T>>::const_iterator;

template <class T>
std::vector<Item<T>> centred_on_the_way(Iterator<T> first, Iterator<T> last) {
  std::vector<Item<T>> readers;
  readers.reserve(size_t(last - first));
  for (; first != last; ++first) {
    const auto read = [item = &*first](int64_t row, int64_t count, T* out, int64_t ld) {
      std::vector<T> gathered;
      centred_rows(*item, row, count, 0, item->x.cols, out, ld, gathered);
    };
    readers.push_back({nullptr, first->x.cols, read});
  }
  return readers;
}

template <class T>
int64_t total_width(Iterator<T> first, Iterator<T> last) {
  return std::accumulate(first, last, int64_t{0},
                         [](int64_t sum, const KernelItem<T>& item) { return sum + item.x.cols; });
}

// All items side by side, and one product of them with themselves.
template <class T>
void multiply_together(const std::vector<KernelItem<T>>& items, int64_t width, KernelSums& sums) {
  const int64_t n = items[0].x.rows, count = int64_t(items.size());
  std::vector<T> side_by_side(size_t(n * width)), product(size_t(width * width)), gathered;
  std::vector<double> norms(static_cast<size_t>(width));
  std::vector<int64_t> begin;
  int64_t end = 0;
  for (const KernelItem<T>& item : items) {
    centred_rows(item, 0, n, 0, item.x.cols, side_by_side.data() + end, width, gathered);
    begin.push_back(end);
    end += item.x.cols;
  }
  gram<T>(Op::transpose, width, n, T(1), side_by_side.data(), width, T(0), product.data(), width);
  symmetrize(width, product.data(), width);
  const auto square = [&](int64_t i, int64_t j) {
    const T* const block = product.data() + begin[i] * width + begin[j];
    row_kernels<T>().squared_norms(block, width, items[i].x.cols, items[j].x.cols, norms.data());
    return std::accumulate(norms.begin(), norms.begin() + items[i].x.cols, 0.0);
  };
  const int64_t first_b = count == sums.count_a ? 0 : sums.count_a;
  for (int64_t i = 0; i < sums.count_a; ++i) {
    for (int64_t j = 0; j < sums.count_b; ++j) {
      sums.products[i * sums.count_b + j] = square(i, first_b + j);
    }
  }
  for (int64_t k = 0; k < count; ++k) sums.self.push_back(square(k, k));
}

}  // namespace

double squared_norm(const double* block, int64_t rows, int64_t cols, int64_t ld) {
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) {
    sum += row_kernels<double>().dot(block + i * ld, block + i * ld, cols);
  }
  return sum;
}

template <class T>
bool features_are_cheaper(const std::vector<KernelItem<T>>& items, int64_t count_a) {
  const auto second = items.begin() + count_a;
  const double n = double(items[0].x.rows);
  const double width_a = double(total_width<T>(items.begin(), second));
  if (second == items.end()) {
    const double count = double(count_a);
    return n * width_a * width_a < n * n * (width_a + count * count / 2);
  }
  const double width_b = double(total_width<T>(second, items.end()));
  double features = 2 * width_a * width_b;
  for (const KernelItem<T>& item : items) features += double(item.x.cols) * double(item.x.cols);
  const double pairs = double(count_a) * double(items.end() - second);
  return n * features < n * n * (width_a + width_b + pairs);
}

template <class T>
KernelSums feature_products(const std::vector<KernelItem<T>>& items, int64_t count_a, int threads) {
  const int64_t n = items[0].x.rows, count = int64_t(items.size());
  const bool symmetric = count == count_a;
  KernelSums sums;
  sums.count_a = count_a;
  sums.count_b = symmetric ? count_a : count - count_a;
  sums.products.assign(size_t(sums.count_a * sums.count_b), 0.0);
  sums.self.reserve(items.size());
  const int64_t width = total_width<T>(items.begin(), items.end());
  if (n <= kFewSamples && width <= kFewUnits) {
    multiply_together(items, width, sums);
    return sums;
  }
  const auto second = items.begin() + count_a;
  const std::vector<Item<T>> readers_a = centred_on_the_way<T>(items.begin(), second);
  const std::vector<Item<T>> readers_b = centred_on_the_way<T>(second, items.end());
  const auto visit = [&](int64_t i, int64_t j, double* product, int64_t ld, int) {
    const int64_t cols = (symmetric ? items[j] : second[j]).x.cols;
    const int64_t entry = symmetric ? j * sums.count_b + i : i * sums.count_b + j;
    sums.products[entry] = squared_norm(product, items[i].x.cols, cols, ld);
  };
  for_each_product<T>(readers_a, readers_b, n,
                      symmetric ? Pairing::symmetric_with_self : Pairing::cross, threads, visit);
  if (symmetric) {
    for (int64_t k = 0; k < count; ++k) sums.self.push_back(sums.products[k * count + k]);
    return sums;
  }
  for (const auto* readers : {&readers_a, &readers_b}) {
    const size_t offset = sums.self.size();
    sums.self.resize(offset + readers->size());
    for_each_product<T>(*readers, *readers, n, Pairing::paired, threads,
                        [&](int64_t i, int64_t, double* product, int64_t ld, int) {
                          sums.self[offset + i] = squared_norm(product, ld, ld, ld);
                        });
  }
  return sums;
}

#define LIKEWISE_INSTANTIATE(T)                                                             \
  template KernelSums feature_products<T>(const std::vector<KernelItem<T>>&, int64_t, int); \
  template bool features_are_cheaper<T>(const std::vector<KernelItem<T>>&, int64_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

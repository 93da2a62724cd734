#include "kernels/cpu/features.h"

#include "kernels/cpu/panel.h"
#include "linalg/cross.h"

namespace likewise {
namespace {

template <class T>
std::vector<Item<T>> centred_on_the_way(const std::vector<KernelItem<T>>& items) {
  std::vector<Item<T>> readers;
  readers.reserve(items.size());
  for (const KernelItem<T>& item : items) {
    const auto read = [&item](int64_t row, int64_t count, T* out, int64_t ld) {
      std::vector<T> gathered;
      centred_rows(item, row, count, 0, item.x.cols, out, ld, gathered);
    };
    readers.push_back({nullptr, item.x.cols, read});
  }
  return readers;
}

double squared_norm(const double* block, int64_t rows, int64_t cols, int64_t ld) {
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) {
    sum += row_kernels<double>().dot(block + i * ld, block + i * ld, cols);
  }
  return sum;
}

template <class T>
double total_width(const std::vector<KernelItem<T>>& items) {
  double width = 0;
  for (const KernelItem<T>& item : items) width += double(item.x.cols);
  return width;
}

template <class T>
double squared_widths(const std::vector<KernelItem<T>>& items) {
  double sum = 0;
  for (const KernelItem<T>& item : items) sum += double(item.x.cols) * double(item.x.cols);
  return sum;
}

}  // namespace

template <class T>
bool features_are_cheaper(const std::vector<KernelItem<T>>& a, const std::vector<KernelItem<T>>& b,
                          bool symmetric) {
  const double n = double(a[0].x.rows), width_a = total_width(a);
  if (symmetric) {
    const double count = double(a.size());
    return n * width_a * width_a < n * n * (width_a + count * count / 2);
  }
  const double width_b = total_width(b);
  const double features = 2 * width_a * width_b + squared_widths(a) + squared_widths(b);
  return n * features < n * n * (width_a + width_b + double(a.size()) * double(b.size()));
}

template <class T>
KernelSums feature_products(const std::vector<KernelItem<T>>& a,
                            const std::vector<KernelItem<T>>& b, bool symmetric, int threads) {
  const int64_t n = a[0].x.rows;
  const std::vector<Item<T>> readers_a = centred_on_the_way(a), readers_b = centred_on_the_way(b);
  KernelSums sums;
  sums.count_a = int64_t(a.size());
  sums.count_b = symmetric ? sums.count_a : int64_t(b.size());
  sums.products.assign(size_t(sums.count_a * sums.count_b), 0.0);
  const auto visit = [&](int64_t i, int64_t j, double* product, int64_t ld, int) {
    const int64_t cols = symmetric ? a[j].x.cols : b[j].x.cols;
    const int64_t entry = symmetric ? j * sums.count_b + i : i * sums.count_b + j;
    sums.products[entry] = squared_norm(product, a[i].x.cols, cols, ld);
  };
  for_each_product<T, double>(readers_a, readers_b, n,
                              symmetric ? Pairing::symmetric_with_self : Pairing::cross, threads,
                              visit);
  if (symmetric) {
    for (int64_t k = 0; k < sums.count_a; ++k) {
      sums.self.push_back(sums.products[k * sums.count_a + k]);
    }
    return sums;
  }
  for (const auto* items : {&readers_a, &readers_b}) {
    const size_t offset = sums.self.size();
    sums.self.resize(offset + items->size());
    for_each_product<T, double>(*items, *items, n, Pairing::paired, threads,
                                [&](int64_t i, int64_t, double* product, int64_t ld, int) {
                                  sums.self[offset + i] = squared_norm(product, ld, ld, ld);
                                });
  }
  return sums;
}

#define LIKEWISE_INSTANTIATE(T)                                                          \
  template KernelSums feature_products<T>(const std::vector<KernelItem<T>>&,             \
                                          const std::vector<KernelItem<T>>&, bool, int); \
  template bool features_are_cheaper<T>(const std::vector<KernelItem<T>>&,               \
                                        const std::vector<KernelItem<T>>&, bool);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

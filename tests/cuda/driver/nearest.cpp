#include "neighbours/cuda/nearest.h"

#include <numeric>

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Norms of rows longer than a block of threads, of zeros, and of items that cannot be used.
template <class T>
void rows_of_samples(int rows, int cols, bool euclidean) {
  constexpr int kItems = 4;
  std::vector<T> x = normal<T>(size_t(kItems) * rows * cols);
  std::fill_n(x.begin() + (rows + 1) * cols, cols, T(0));
  const OnDevice<T> data(x), half(std::vector<T>(size_t(kItems) * rows, T(-1)));
  const OnDevice<double> unit(std::vector<double>{1, 0.5, std::nan(""), 2});
  const OnDevice<int64_t> constant(std::vector<int64_t>{0, cols - 1, 0, cols});
  const OnDevice<int64_t> status(std::vector<int64_t>(kItems, -1));
  need(finish_rows<T>({data.get(), euclidean ? half.get() : nullptr, unit.get(), constant.get(),
                       status.get(), kItems, rows, cols},
                      stream),
       "rows");
  const auto found = data.values(), halves = half.values();
  for (int r = 0; r < kItems * rows; ++r) {
    double squares = 0;
    for (int j = 0; j < cols; ++j) squares += double(x[r * cols + j]) * double(x[r * cols + j]);
    const double norm = euclidean || squares == 0 ? 1 : std::sqrt(squares);
    for (int j = 0; j < cols; ++j) {
      const double wanted = double(x[r * cols + j]) / norm;
      expect(std::abs(double(found[r * cols + j]) - wanted) < (sizeof(T) == 4 ? 1e-6 : 1e-14),
             "entry of a row");
    }
    const double wanted = euclidean ? squares / 2 : -1;
    expect(std::abs(double(halves[r]) - wanted) <= (sizeof(T) == 4 ? 1e-6 : 1e-14) * (1 + squares),
           "half of a squared norm");
  }
  expect(status.values() == std::vector<int64_t>({0, 0, kUnusable, kUnusable}), "status");
}

struct Size {
  int items, rows, first, count, k;
};

// Numbers of few different values, zeros of both signs among them; all different (`levels` 0); or
// different in their last bits alone (-1).
template <class T>
void nearest_of_rows(const Size& size, int levels, bool half_norms, bool with_similarity) {
  const auto [items, rows, first, count, k] = size;
  std::vector<T> products = normal<T>(size_t(items) * count * rows);
  std::vector<T> norms = normal<T>(size_t(items) * rows);
  if (levels < 0) {
    for (T& value : products) {
      value = 1 + std::floor(value * 16) * std::numeric_limits<T>::epsilon();
    }
  } else if (levels > 0) {
    for (auto* values : {&products, &norms}) {
      for (T& value : *values) value = std::trunc(value * T(levels)) / T(2 * levels);
    }
  }
  const OnDevice<T> values(products), half(norms);
  const size_t places = size_t(items) * rows * k;
  const OnDevice<int32_t> index(std::vector<int32_t>(places, -7));
  const OnDevice<T> similarity(std::vector<T>(places, T(99)));
  need(find_nearest<T>({values.get(), half_norms ? half.get() : nullptr, items, rows, first, count,
                        k, index.get(), with_similarity ? similarity.get() : nullptr},
                       stream),
       "nearest");
  const auto found = index.values();
  const auto nearness = similarity.values();
  for (int item = 0; item < items; ++item) {
    for (int i = 0; i < rows; ++i) {
      std::vector<int32_t> wanted(size_t(k), -7);
      std::vector<T> near(size_t(rows), T(99));
      const bool inside = i >= first && i < first + count;
      if (inside) {
        for (int j = 0; j < rows; ++j) {
          near[j] = products[(size_t(item) * count + i - first) * rows + j];
          if (half_norms) near[j] -= norms[item * rows + j];
        }
        std::vector<int32_t> order(static_cast<size_t>(rows));
        std::iota(order.begin(), order.end(), 0);
        order.erase(order.begin() + i);
        std::stable_sort(order.begin(), order.end(),
                         [&](int a, int b) { return near[a] > near[b]; });
        wanted.assign(order.begin(), order.begin() + k);
        std::sort(wanted.begin(), wanted.end());
      }
      for (int t = 0; t < k; ++t) {
        const size_t at = (size_t(item) * rows + i) * k + t;
        expect(found[at] == wanted[t], "neighbour");
        const T value = inside && with_similarity ? near[wanted[t]] : T(99);
        expect(nearness[at] == value, "similarity of a neighbour");
      }
    }
  }
}

// With NaN the neighbours are any, but neighbours.
void nearest_of_nan() {
  constexpr int kRows = 40, kNearest = 6;
  std::vector<double> products(kRows, std::nan(""));
  for (int j = 0; j < kRows; j += 3) products[j] = j % 2 ? j : -std::nan("");
  const OnDevice<double> values(products);
  const OnDevice<int32_t> index(std::vector<int32_t>(size_t(kRows) * kNearest, -7));
  need(find_nearest<double>({values.get(), nullptr, 1, kRows, 5, 1, kNearest, index.get(), nullptr},
                            stream),
       "nearest");
  const auto found = index.values();
  for (int t = 0; t < kNearest; ++t) {
    const int32_t here = found[5 * kNearest + t];
    expect(here != 5 && here < kRows && here > (t ? found[5 * kNearest + t - 1] : -1),
           "neighbour among NaN");
  }
}

void neighbours() {
  rows_of_samples<float>(2, 300, false);
  rows_of_samples<double>(3, 40, false);
  rows_of_samples<float>(3, 40, true);
  rows_of_samples<double>(2, 300, true);
  nearest_of_rows<float>({2, 9, 3, 4, 3}, 0, false, true);
  nearest_of_rows<double>({1, 9, 0, 9, 8}, 2, true, true);
  nearest_of_rows<double>({2, 33, 30, 3, 1}, 0, true, false);
  nearest_of_rows<float>({1, 300, 7, 2, 10}, 0, true, true);
  nearest_of_rows<float>({1, 300, 290, 3, 120}, 1, false, true);
  nearest_of_rows<double>({2, 300, 40, 1, 150}, 1, false, false);
  nearest_of_rows<double>({1, 300, 299, 1, 299}, 0, false, true);
  nearest_of_rows<float>({1, 40, 3, 2, 33}, 0, false, true);  // down to negative ones
  nearest_of_rows<double>({1, 40, 3, 2, 33}, 2, false, true);
  nearest_of_rows<float>({1, 40, 6, 2, 9}, -1, false, true);
  nearest_of_rows<double>({1, 40, 6, 2, 9}, -1, false, true);
  nearest_of_nan();
}

const Topic topic("nearest", neighbours);

}  // namespace
}  // namespace likewise::cuda::driver

#include "kernels/cuda/bandwidth.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Squared distances of samples, some of them equal, from their inner products.
template <class T>
void distances() {
  constexpr int kRows = 300, kCols = 3, kFirst = 290;
  std::vector<T> x = normal<T>(kRows * kCols);
  for (int j = 0; j < kCols; ++j) x[295 * kCols + j] = x[7 * kCols + j];
  std::vector<double> norms(kRows);
  std::vector<T> products(size_t(kRows - kFirst) * kRows);
  for (int p = 0; p < kRows; ++p) {
    for (int q = 0; q < kRows; ++q) {
      double product = 0;
      for (int j = 0; j < kCols; ++j) product += double(x[p * kCols + j]) * x[q * kCols + j];
      if (p == q) norms[p] = product;
      if (p >= kFirst) products[(p - kFirst) * kRows + q] = T(product * (1 + 1e-7));
    }
  }
  const OnDevice<T> values(products);
  for (T& value : x) value = 8 * value + T(1024);  // as they are; products are of those centred
  const OnDevice<T> given(x);
  const OnDevice<double> lengths(norms), unit(std::vector<double>{0.125});
  need(squared_distance_rows<T>({values.get(), given.get(), unit.get(), lengths.get(), kRows, kCols,
                                 kFirst, kRows - kFirst},
                                stream),
       "distances");
  const auto found = values.values();
  for (int p = kFirst; p < kRows; ++p) {
    for (int q = 0; q < kRows; ++q) {
      double square = 0;
      for (int j = 0; j < kCols; ++j) {
        square += std::pow((double(x[p * kCols + j]) - double(x[q * kCols + j])) / 8, 2);
      }
      const double value = double(found[(p - kFirst) * kRows + q]);
      expect(std::abs(value - square) <= (sizeof(T) == 4 ? 2e-4 : 1e-6) * (norms[p] + norms[q]),
             "squared distance");
      if (square == 0) expect(value == 0, "distance of equal samples");
    }
  }
}

// The middle of the lower triangle from row `first` on, in two blocks of rows.
template <class T>
void middle_of(int rows, int first, int levels) {
  std::vector<T> values = normal<T>(size_t(rows) * rows);
  std::vector<T> sorted;
  for (int p = 0; p < rows; ++p) {
    for (int q = 0; q < rows; ++q) {
      T& value = values[p * rows + q];
      value = std::abs(value);
      if (levels) value = T(int(value * T(levels)));
      if (q < p && p >= first) sorted.push_back(value);
    }
  }
  std::sort(sorted.begin(), sorted.end());
  const int64_t size = int64_t(sorted.size());
  const OnDevice<T> all(values);
  const OnDevice<Selection> selection(1);
  const OnDevice<double> middle(2);
  need(start_selection(selection.get(), size, stream), "start");
  const int half = (first + rows) / 2;
  const auto blocks = [&](auto&& body) {
    need(body(all.get() + first * rows, first, half - first), "block");
    need(body(all.get() + half * rows, half, rows - half), "block");
  };
  for (int digit = 0; digit < int(sizeof(T)); ++digit) {
    blocks([&](const T* block, int begin, int count) {
      return count_digits<T>(block, rows, begin, count, digit, selection.get(), stream);
    });
    need(pick_digit(selection.get(), stream), "pick");
  }
  blocks([&](const T* block, int begin, int count) {
    return find_above<T>(block, rows, begin, count, selection.get(), stream);
  });
  need(finish_selection<T>(selection.get(), size, middle.get(), stream), "finish");
  const auto found = middle.values();
  expect(found[0] == double(sorted[(size - 1) / 2]), "lower middle");
  expect(found[1] == double(sorted[size / 2]), "upper middle");
}

void medians() {
  distances<float>();
  distances<double>();
  middle_of<float>(9, 0, 0);  // 36 numbers
  middle_of<double>(9, 0, 2);
  middle_of<double>(11, 0, 0);     // 55
  middle_of<float>(300, 296, 0);   // 1190
  middle_of<double>(300, 297, 0);  // 894
}

const Topic topic("bandwidth", medians);

}  // namespace
}  // namespace likewise::cuda::driver

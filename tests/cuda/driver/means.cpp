#include "arrays/cuda/means.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// One NaN.
template <class T>
void means_of(int count, int rows, int cols) {
  std::vector<T> host = normal<T>(size_t(count) * rows * cols);
  for (T& value : host) value += T(1e4);
  host[3] = T(std::nan(""));
  const double tolerance = sizeof(T) == 4 ? 1e-3 : 1e-11;  // half an ulp of 1e4
  const OnDevice<T> x(host), of_rows(size_t(count) * rows), of_columns(size_t(count) * cols);
  need(row_means<T>(x.get(), count * rows, cols, of_rows.get(), stream), "rows");
  need(column_means<T>(x.get(), count, rows, cols, of_columns.get(), stream), "columns");
  const auto found = of_rows.values(), found_columns = of_columns.values();
  for (int q = 0; q < count; ++q) {
    for (int i = 0; i < rows; ++i) {
      double sum = 0;
      for (int j = 0; j < cols; ++j) sum += double(host[(q * rows + i) * cols + j]);
      const double here = double(found[q * rows + i]);
      const bool unknown = q == 0 && i == 0;
      expect(unknown ? std::isnan(here) : std::abs(here - sum / cols) <= tolerance, "mean of row");
    }
    for (int j = 0; j < cols; ++j) {
      double sum = 0;
      for (int i = 0; i < rows; ++i) sum += double(host[(q * rows + i) * cols + j]);
      const double here = double(found_columns[q * cols + j]);
      const bool unknown = q == 0 && j == 3;
      expect(unknown ? std::isnan(here) : std::abs(here - sum / rows) <= tolerance,
             "mean of column");
    }
  }
}

// Large numbers that cancel within each thread, in double alone without a trace.
void cancelling_rows() {
  constexpr int kCols = 768;
  std::vector<float> host(kCols, 1.0f);
  std::fill(host.begin(), host.begin() + 256, 1e8f);
  std::fill(host.end() - 256, host.end(), -1e8f);
  const OnDevice<float> x(host), mean(1);
  need(row_means<float>(x.get(), 1, kCols, mean.get(), stream), "rows");
  expect(std::abs(mean.values()[0] - 1 / 3.0f) <= 1e-6f, "mean of what cancels");
}

void means() {
  means_of<float>(2, 5, 70);
  means_of<double>(3, 11, 33);
  cancelling_rows();
}

const Topic topic("means", means);

}  // namespace
}  // namespace likewise::cuda::driver

#include "arrays/cuda/gather.h"
#include "arrays/cuda/means.h"
#include "core/cuda/centred.h"
#include "core/cuda/elements.h"
#include "core/cuda/grid.h"
#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Items with a large mean, constant, not finite, and of numbers whose squares overflow.
template <class T>
void centre_items(bool center, int cols) {
  constexpr int kCount = 4, kRows = 11, kStill = 33;
  const int size = kRows * cols;
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-12, huge = sizeof(T) == 4 ? 1e30 : 1e300;
  std::vector<T> host = normal<T>(size_t(kCount * size));
  for (int k = 0; k < size; ++k) {
    const int j = k % cols;
    host[k] += center ? T(100 * j) : T(0);
    host[size + k] = center ? T(j) : T(0);
    host[3 * size + k] *= T(huge);
    for (int q = 0; j == kStill && q < kCount; ++q) host[q * size + k] = center ? T(7) : T(0);
  }
  host[2 * size + 40] = std::numeric_limits<T>::quiet_NaN();
  const OnDevice<T> x(host), out(host.size());
  const OnDevice<double> unit(kCount), squares(kCount * cols), spreads(kCount * cols),
      norms(kCount);
  const OnDevice<int64_t> constant(kCount);
  const Centred<T> to{out.get(), unit.get(), squares.get(), constant.get(), spreads.get()};
  centre<T>(x.get(), kCount, kRows, cols, center, to, stream);
  const auto centred = out.values();
  const auto units = unit.values(), sums = squares.values();
  normalise<T>(to, kCount, kRows, cols, norms.get(), stream);
  const auto scaled = out.values();
  const auto lengths = norms.values();
  agree(constant.values(), std::vector<int>{1, cols, 1, 1}, 0, "constant units");
  expect(units[1] == 0 && lengths[1] == 0 && scaled[size + 5] == 0, "constant item");
  expect(std::isnan(centred[2 * size]) && std::isnan(lengths[2]), "item that is not finite");
  for (const int q : {0, 3}) {
    std::vector<double> wanted(static_cast<size_t>(size)), columns(static_cast<size_t>(cols)),
        means(static_cast<size_t>(cols));
    double largest = 0;
    for (int k = 0; k < size; ++k) {
      const double first = center ? double(host[q * size + k % cols]) * units[q] : 0;
      wanted[k] = double(host[q * size + k]) * units[q] - first;
      largest = std::max(largest, std::abs(wanted[k]));
      means[k % cols] += center ? wanted[k] / kRows : 0;
      columns[k % cols] += std::pow(double(centred[q * size + k]), 2);
    }
    for (int k = 0; k < size; ++k) wanted[k] -= means[k % cols];
    const std::vector<T> found(centred.begin() + q * size, centred.begin() + (q + 1) * size);
    const std::vector<double> of_columns(sums.begin() + q * cols, sums.begin() + (q + 1) * cols);
    agree(found, wanted, tolerance, "centred elements");
    agree(of_columns, columns, 1e-13, "squares of columns");
    const double norm = std::sqrt(std::accumulate(columns.begin(), columns.end(), 0.0));
    expect(std::ldexp(1.0, std::ilogb(units[q])) == units[q], "power of two");
    expect(largest >= 1 && largest < 2, "scale");
    expect(std::abs(lengths[q] * units[q] / norm - 1) <= 1e-12, "norm");
    std::vector<double> unit_norm;
    for (const T value : found) unit_norm.push_back(double(value) / norm);
    agree(std::vector<T>(scaled.begin() + q * size, scaled.begin() + (q + 1) * size), unit_norm,
          tolerance, "elements of unit norm");
  }
}

// Read as the transpose of every second column.
void copies() {
  constexpr int kRows = 37, kCols = 70;
  const std::vector<double> host = normal<double>(kRows * kCols * 2);
  std::vector<float> wanted;
  for (int k = 0; k < kRows * kCols; ++k) {
    wanted.push_back(float(host[size_t(k % kRows * 2 * kCols + 2 * (k / kRows))]));
  }
  const OnDevice<double> in(host);
  const OnDevice<float> out(wanted.size()), widened(6);
  const DeviceRef view{in.get(), ElementType::float64, 2, {kCols, kRows}, {2, 2 * kCols}};
  copy_elements<float>(view, out.get(), stream);
  agree(out.values(), wanted, 0, "copied elements");
  const OnDevice<uint16_t> halves(std::vector<uint16_t>{0x3c00, 0xc000, 1, 0x7c00, 0, 0x3555});
  copy_elements<float>({halves.get(), ElementType::float16, 1, {6}, {1}}, widened.get(), stream);
  agree(widened.values(), std::vector<double>{1, -2, 0x1p-24, INFINITY, 0, 0x1.554p-2}, 0,
        "half precision");
}

void looks() {
  for (const double odd : {double(NAN), -double(INFINITY)}) {
    std::vector<double> host = normal<double>(5180);
    host[3999] = odd;
    host[4000] = NAN;
    for (const int size : {3999, 5180}) {
      const OnDevice<double> x(host);
      const OnDevice<unsigned long long> first(std::vector<unsigned long long>{~0ull});
      const OnDevice<int64_t> infinite(std::vector<int64_t>{2});
      find_nonfinite<double>(x.get(), size, first.get(), stream);
      count_infinite<double>(x.get(), size, infinite.get(), stream);
      expect(first.values()[0] == (size > 3999 ? 3999 : ~0ull), "first that is not finite");
      expect(infinite.values()[0] == 2 + (size > 3999 && std::isinf(odd)), "infinite ones");
    }
  }
}

template <class T>
void sends(int size) {
  std::vector<T> values(size_t(size), T(0));
  for (int k = 0; k < size; ++k) values[size_t(k)] = T(7 * k);
  const std::vector<T> sent = values;
  const OnDevice<T> there(values.size());
  send_values(values.data(), size, there.get(), stream);
  std::fill(values.begin(), values.end(), T(0));  // the host may go away at once
  agree(there.values(), sent, 0, "values sent");
}

template <class T>
void gathers(int items, int count) {
  constexpr int kRows = 11, kCols = 7;
  const std::vector<T> host = normal<T>(size_t(items * kRows * kCols));
  const std::vector<int32_t> picked{10, 0, 3, 3, 5};
  std::vector<int32_t> rows;
  for (int k = 0; k < count; ++k) rows.push_back(picked[size_t(k) % picked.size()]);
  std::vector<T> expected;
  for (int item = 0; item < items; ++item) {
    for (const int32_t row : rows) {
      const auto from = host.begin() + (item * kRows + row) * kCols;
      expected.insert(expected.end(), from, from + kCols);
    }
  }
  const OnDevice<T> x(host), out(expected.size());
  const OnDevice<int32_t> there(rows);
  const Batch<T> batch{x.get(), items, kCols};
  gather_rows<T>(batch, kRows, there.get(), count, out.get(), stream);
  gather_rows<T>(batch, kRows, there.get(), 0, out.get(), stream);
  agree(out.values(), expected, 0, "gathered rows");
}

void mirrors(int count) {
  std::vector<double> host = normal<double>(size_t(count * count));
  const OnDevice<double> scores(host);
  mirror_upper(scores.get(), count, stream);
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < i; ++j) host[size_t(i * count + j)] = host[size_t(j * count + i)];
  }
  agree(scores.values(), host, 0, "mirrored scores");
}

// One NaN.
template <class T>
void means_of(int count, int rows, int cols) {
  std::vector<T> host = normal<T>(size_t(count * rows * cols));
  for (T& value : host) value += T(1e4);
  host[3] = std::numeric_limits<T>::quiet_NaN();
  std::vector<double> by_rows(size_t(count * rows), 0), by_columns(size_t(count * cols), 0);
  for (size_t k = 0; k < host.size(); ++k) {
    by_rows[k / size_t(cols)] += double(host[k]) / cols;
    by_columns[k / size_t(rows * cols) * size_t(cols) + k % size_t(cols)] += double(host[k]) / rows;
  }
  const double tolerance = sizeof(T) == 4 ? 1e-7 : 1e-15;
  const OnDevice<T> x(host), of_rows(by_rows.size()), of_columns(by_columns.size());
  row_means<T>(x.get(), count * rows, cols, of_rows.get(), stream);
  column_means<T>(x.get(), count, rows, cols, of_columns.get(), stream);
  agree(of_rows.values(), by_rows, tolerance, "means of rows");
  agree(of_columns.values(), by_columns, tolerance, "means of columns");
}

// Large numbers that cancel within each thread, in double alone without a trace.
void cancelling_rows() {
  constexpr int kCols = 768;
  std::vector<float> host(kCols, 1.0f);
  std::fill(host.begin(), host.begin() + 256, 1e8f);
  std::fill(host.end() - 256, host.end(), -1e8f);
  const OnDevice<float> x(host), mean(1);
  row_means<float>(x.get(), 1, kCols, mean.get(), stream);
  agree(mean.values(), std::vector<double>{1 / 3.0}, 1e-6, "mean of what cancels");
}

const Topic centred_topic("centred", [] {
  centre_items<float>(true, 40);
  centre_items<double>(false, 40);
  centre_items<double>(true, 270);
});
const Topic elements_topic("elements", [] {
  copies();
  looks();
  for (const int size : {1, 479, 480, 481, 2000}) {
    sends<double>(size);
    sends<int32_t>(size);
  }
});
const Topic gather_topic("gather", [] {
  gathers<float>(1, 43);
  gathers<double>(1, 43);
  gathers<double>(130, 3);
});
const Topic grid_topic("grid", [] {
  for (const int count : {1, 40, 300}) mirrors(count);
});
const Topic means_topic("means", [] {
  means_of<float>(2, 5, 70);
  means_of<double>(3, 11, 33);
  cancelling_rows();
});

}  // namespace
}  // namespace likewise::cuda::driver

#include "neighbours/cuda/nearest.h"

#include <numeric>

#include "driver.h"
#include "neighbours/neighbours.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kItems = 4;

// Directions of rows longer than a block of threads, of zeros, of what rounding leaves, and of
// items that cannot be used.
template <class T>
void rows_of_samples(int rows, int cols, bool centred) {
  std::vector<double> x = normal<double>(size_t(kItems) * rows * cols);
  std::fill_n(x.begin() + (rows + 1) * cols, cols, 0.0);
  for (int j = 0; j < cols; ++j) x[j] *= centred ? 1e-17 : 1e-200;
  const OnDevice<double> data(x), moved(size_t(kItems) * rows), half(size_t(kItems) * rows);
  const OnDevice<T> narrow(x.size());
  const OnDevice<double> unit(std::vector<double>{1, 0.5, std::nan(""), 2});
  const OnDevice<double> spreads(std::vector<double>(size_t(kItems) * cols, 1));
  const OnDevice<int64_t> constant(std::vector<int64_t>{0, cols - 1, 0, cols});
  const OnDevice<int64_t> status(std::vector<int64_t>(kItems, -1));
  const ItemFacts items{unit.get(), spreads.get(), constant.get(), status.get(), kItems,
                        rows,       cols};
  need(take_half_norms<double>(items, data.get(), half.get(), stream), "half norms");
  need(take_directions<T>(items, centred, data.get(), moved.get(), narrow.get(), stream),
       "directions");
  const auto points = data.values(), halves = half.values(), shares = moved.values();
  const auto same = narrow.values();
  for (int r = 0; r < kItems * rows; ++r) {
    double squares = 0, largest = 0;
    for (int j = 0; j < cols; ++j) largest = std::max(largest, std::abs(x[r * cols + j]));
    for (int j = 0; j < cols && largest > 0; ++j) {
      squares += x[r * cols + j] / largest * (x[r * cols + j] / largest);
    }
    const bool finite = r / rows != 2 || !centred;  // else its points are of no use
    const bool nothing = largest == 0 || (centred && r == 0);
    for (int j = 0; finite && j < cols; ++j) {
      const double wanted = nothing ? 0 : x[r * cols + j] / largest / std::sqrt(squares);
      expect(std::abs(points[r * cols + j] - wanted) < 1e-15, "entry of a point");
      expect(same[r * cols + j] == T(points[r * cols + j]), "the same in T");
    }
    const double half_norm = squares * largest * largest / 2;
    expect(std::abs(halves[r] - half_norm) <= 1e-14 * (1 + half_norm), "half of a squared norm");
    if (nothing) expect(shares[r] == 1, "a sample without direction");
    if (!nothing && finite) expect(shares[r] > 0 && shares[r] < 1e-12, "what moved a point");
  }
  expect(status.values() == std::vector<int64_t>({0, 0, kUnusable, kUnusable}), "status");
}

// Samples far from the origin in two clusters (`apart`), on a grid so that many tie.
template <class T>
void nearest_of_rows(int rows, int cols, int first, int count, int k, double apart, bool cosines) {
  constexpr int kSome = 2;
  std::vector<double> points = normal<double>(size_t(kSome) * rows * cols);
  for (size_t at = 0; at < points.size(); ++at) {
    const size_t row = at / cols;
    points[at] = cosines ? points[at] : std::trunc(2 * points[at]) + (row % 2 ? apart : -apart);
  }
  std::vector<double> moved(size_t(kSome) * rows, 1e-15);
  for (int row = 0; cosines && row < kSome * rows; ++row) {
    double* const from = points.data() + row * cols;
    const double norm = std::sqrt(std::inner_product(from, from + cols, from, 0.0));
    for (int j = 0; j < cols; ++j) from[j] = row % rows == 2 ? 0 : from[j] / norm;
    if (row % rows == 2) moved[row] = 1;
  }
  const std::vector<T> samples(points.begin(), points.end());
  std::vector<T> products(size_t(kSome) * count * rows);
  std::vector<double> halves(size_t(kSome) * rows);
  const auto dot = [&](int item, int i, int j) {
    T sum = 0;
    for (int c = 0; c < cols; ++c) {
      sum += samples[(item * rows + i) * cols + c] * samples[(item * rows + j) * cols + c];
    }
    return sum;
  };
  for (int item = 0; item < kSome; ++item) {
    for (int i = 0; i < rows; ++i) halves[item * rows + i] = double(dot(item, i, i)) / 2;
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < rows; ++j) {
        products[(item * count + i) * rows + j] = dot(item, first + i, j);
      }
    }
  }
  const OnDevice<double> at(points), shares(moved), half(halves), work(products.size());
  const OnDevice<T> data(samples), values(products);
  const OnDevice<double> unit(std::vector<double>{0.25, 1});
  const OnDevice<int64_t> status(std::vector<int64_t>(kSome, 0));
  const size_t places = size_t(kSome) * rows * k;
  const OnDevice<int32_t> index(std::vector<int32_t>(places, -7));
  const OnDevice<double> similarity(std::vector<double>(places, 99));
  Dissimilarities<T> of{at.get(), shares.get(), nullptr, nullptr,
                        nullptr,  status.get(), rows,    cols};
  if (!cosines) {
    of = {nullptr, nullptr, data.get(), unit.get(), half.get(), status.get(), rows, cols};
    // Products are of samples in these units.
    std::vector<T> scaled = products;
    std::vector<double> scaled_halves = halves;
    for (int64_t t = 0; t < count * rows; ++t) scaled[t] /= 16;
    for (int t = 0; t < rows; ++t) scaled_halves[t] /= 16;
    need(cudaMemcpy(values.get(), scaled.data(), scaled.size() * sizeof(T), cudaMemcpyHostToDevice),
         "upload");
    need(cudaMemcpy(half.get(), scaled_halves.data(), halves.size() * sizeof(double),
                    cudaMemcpyHostToDevice),
         "upload");
  }
  need(find_nearest<T>({of, values.get(), work.get(), kSome, first, count, k, index.get(),
                        cosines ? similarity.get() : nullptr},
                       stream),
       "nearest");
  const auto found = index.values();
  const auto near = similarity.values();
  for (int item = 0; item < kSome; ++item) {
    for (int i = first; i < first + count; ++i) {
      std::vector<double> dissimilarity(static_cast<size_t>(rows));
      for (int j = 0; j < rows; ++j) {
        for (int c = 0; c < cols; ++c) {
          const double step =
              points[(item * rows + i) * cols + c] - points[(item * rows + j) * cols + c];
          dissimilarity[j] += step * step / 2;
        }
        if (cosines && (i == 2 || j == 2)) dissimilarity[j] = 1;
      }
      std::vector<int32_t> order(static_cast<size_t>(rows));
      std::iota(order.begin(), order.end(), 0);
      order.erase(order.begin() + i);
      std::stable_sort(order.begin(), order.end(),
                       [&](int a, int b) { return dissimilarity[a] < dissimilarity[b]; });
      std::sort(order.begin(), order.begin() + k);
      for (int t = 0; t < k; ++t) {
        const size_t place = (size_t(item) * rows + i) * k + t;
        expect(found[place] == order[t], "neighbour");
        const double wanted = cosines ? 1 - dissimilarity[order[t]] : 99;
        expect(std::abs(near[place] - wanted) < 1e-14, "similarity of a neighbour");
      }
    }
  }
}

// A chain of samples, each as near as the one before it but for rounding: a group of equals.
void chains() {
  constexpr int kRows = 40, kNearest = 5;
  std::vector<double> samples(kRows, 0.0), halves(kRows), products(kRows, 0.0);
  for (int j = 1; j < kRows; ++j) samples[j] = 1 + (kRows - j) * 3e-13;
  for (int j = 0; j < kRows; ++j) halves[j] = samples[j] * samples[j] / 2;
  const OnDevice<double> data(samples), half(halves), values(products), work(kRows);
  const OnDevice<double> unit(std::vector<double>{1});
  const OnDevice<int64_t> status(std::vector<int64_t>{0});
  const OnDevice<int32_t> index(std::vector<int32_t>(size_t(kRows) * kNearest, -7));
  need(find_nearest<double>(
           {{nullptr, nullptr, data.get(), unit.get(), half.get(), status.get(), kRows, 1},
            values.get(),
            work.get(),
            1,
            0,
            1,
            kNearest,
            index.get(),
            nullptr},
           stream),
       "nearest");
  const auto found = index.values();
  for (int t = 0; t < kNearest; ++t) expect(found[t] == t + 1, "first of a chain");
}

// The neighbours of an item that cannot be used are any, but neighbours.
void nearest_of_nothing() {
  constexpr int kRows = 40, kNearest = 6;
  const OnDevice<double> products(std::vector<double>(kRows, std::nan(""))), work(kRows);
  const OnDevice<int64_t> status(std::vector<int64_t>{kUnusable});
  const OnDevice<int32_t> index(std::vector<int32_t>(size_t(kRows) * kNearest, -7));
  Dissimilarities<double> of{};
  of.status = status.get();
  of.rows = kRows;
  of.cols = 1;
  need(find_nearest<double>(
           {of, products.get(), work.get(), 1, 5, 1, kNearest, index.get(), nullptr}, stream),
       "nearest");
  const auto found = index.values();
  for (int t = 0; t < kNearest; ++t) {
    const int32_t here = found[5 * kNearest + t];
    expect(here != 5 && here < kRows && here > (t ? found[5 * kNearest + t - 1] : -1),
           "neighbour among nothing");
  }
}

void neighbours() {
  rows_of_samples<float>(2, 300, false);
  rows_of_samples<double>(3, 40, true);
  rows_of_samples<float>(3, 40, true);
  nearest_of_rows<float>(9, 3, 3, 4, 3, 0, false);
  nearest_of_rows<double>(9, 3, 0, 9, 8, 1e6, false);
  nearest_of_rows<double>(33, 40, 30, 3, 1, 1e3, false);
  nearest_of_rows<float>(300, 2, 7, 2, 10, 1e3, false);
  nearest_of_rows<float>(300, 2, 290, 3, 120, 0, false);
  nearest_of_rows<double>(300, 3, 299, 1, 299, 0, false);
  nearest_of_rows<float>(40, 5, 2, 3, 33, 0, true);
  nearest_of_rows<double>(300, 40, 1, 2, 12, 0, true);
  chains();
  nearest_of_nothing();
}

const Topic topic("nearest", neighbours);

}  // namespace
}  // namespace likewise::cuda::driver

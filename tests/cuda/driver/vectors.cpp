#include "rsa/cuda/vectors.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSize = 4096 + 700;  // two parts

template <class S>
std::vector<S> whole_numbers(size_t n) {
  std::uniform_int_distribution<int> distribution(-1000, 1000);
  std::vector<S> out(n);
  for (S& x : out) x = S(distribution(generator));
  return out;
}

// A batch of shape (2, 2): items of a go with its first axis, items of b with its last one.
template <class S>
void products_of_pairs() {
  const std::vector<S> x = whole_numbers<S>(2 * kSize), y = whole_numbers<S>(2 * kSize);
  const OnDevice<S> left(x), right(y);
  const OnDevice<double> shifts(std::vector<double>{3, -5});
  const OnDevice<double> factors_a(std::vector<double>{0.5, 2}),
      factors_b(std::vector<double>{1, 3});
  const int64_t parts = vector_parts(kSize);
  const OnDevice<double> partial(4 * parts), scores(std::vector<double>(4, -1.0));
  const PairAxes axes{2, {2, 2}, {1, 0}, {0, 1}};
  const auto run = [&](int first, int count) {
    need(pair_products<S>({left.get(), kSize, shifts.get(), nullptr},
                          {right.get(), kSize, nullptr, nullptr}, axes, first, count, partial.get(),
                          stream),
         "products");
    need(pair_scores(partial.get(), parts, factors_a.get(), factors_b.get(), axes, first, count,
                     scores.get(), stream),
         "scores");
  };
  run(1, 3);
  const auto found = scores.values();
  expect(found[0] == -1, "a pair that was not asked for");
  for (int pair = 1; pair < 4; ++pair) {
    const int i = pair / 2, j = pair % 2;
    double sum = 0;
    for (int k = 0; k < kSize; ++k) {
      sum += (double(x[i * kSize + k]) - (i ? -5 : 3)) * double(y[j * kSize + k]);
    }
    expect(found[pair] == sum * (i ? 2 : 0.5) * (j ? 3 : 1), "score of a pair");
  }
}

void means() {
  std::vector<double> x = whole_numbers<double>(2 * kSize);
  double mean = 0;
  for (int k = 0; k < kSize; ++k) {
    mean += x[k] / kSize;
    x[kSize + k] = 0.1;
  }
  const OnDevice<double> data(x);
  const OnDevice<double> partial(2 * vector_parts(kSize)), shifts(2);
  need(vector_means({data.get(), kSize, nullptr, nullptr}, 2, partial.get(), shifts.get(), stream),
       "means");
  expect(std::abs(shifts.values()[0] - mean) < 1e-10, "mean");
  expect(shifts.values()[1] == 0.1, "mean of equal elements");
}

// Items that are good, constant, not finite, without length, and flat.
void conclusions(Squares squares, const std::vector<double>& expected) {
  const double nan = std::nan("");
  const OnDevice<double> partial(std::vector<double>{20, 4, 20, 4, nan, 4, 0, 0, 20, 4});
  const OnDevice<RdmItem> items(std::vector<RdmItem>{{1, 2, false, false},
                                                     {1, 3, true, false},
                                                     {1, 1, false, false},
                                                     {1, 0, false, false},
                                                     {1, 0, false, true}});
  const OnDevice<double> factors(5);
  const OnDevice<int64_t> without(std::vector<int64_t>{5, 6, 7, 8, 9}), constant(5), flat(5);
  need(conclude({partial.get(), 2, 4, items.get(), factors.get(), without.get(), constant.get(),
                 flat.get()},
                5, squares, stream),
       "conclude");
  const auto found = factors.values();
  for (int k = 0; k < 5; ++k) {
    const bool none = k == 4 || std::isnan(expected[k]);
    expect(none ? std::isnan(found[k]) : std::abs(found[k] - expected[k]) < 1e-15, "factor");
  }
  expect(without.values() == std::vector<int64_t>({5, 0, 0, 8, 9}), "samples that count");
  expect(constant.values() == std::vector<int64_t>({2, 3, 1, 0, 0}), "constant units of items");
  expect(flat.values() == std::vector<int64_t>({0, 0, 0, std::isnan(expected[3]), 1}),
         "flat items");
}

void blocks_of_columns_expanded() {
  constexpr int kFirst = 37, kWidth = kSize - 50;
  const std::vector<int32_t> x = whole_numbers<int32_t>(2 * kSize);
  const OnDevice<int32_t> data(x);
  const OnDevice<double> shifts(std::vector<double>{3, -5});
  const OnDevice<double> factors(std::vector<double>{2, 0.5}), out(2 * kWidth);
  need(expand<int32_t>({data.get(), kSize, shifts.get(), factors.get()}, 2, kFirst, kWidth,
                       out.get(), stream),
       "expand");
  const auto found = out.values();
  bool good = true;
  for (int k = 0; k < 2 * kWidth; ++k) {
    const int i = k / kWidth;
    const double value = double(x[i * kSize + kFirst + k % kWidth]) - (i ? -5 : 3);
    good = good && found[k] == value * (i ? 0.5 : 2);
  }
  expect(good, "columns");
}

// Two RDMs of n samples, their entries minus a shift.
void moments(int n, int count) {
  const int pairs = n * (n - 1) / 2, size = n * (n + 1) / 2;
  const std::vector<double> x = normal<double>(size_t(count) * pairs);
  const OnDevice<double> data(x);
  const OnDevice<double> shifts(std::vector<double>{0.25, -2});
  const OnDevice<double> row_means(size_t(count) * n), out(size_t(count) * size);
  need(second_moments({data.get(), pairs, shifts.get(), nullptr}, count, n, row_means.get(),
                      out.get(), stream),
       "moments");
  const auto found = out.values();
  bool good = true;
  for (int item = 0; item < count; ++item) {
    std::vector<double> d(size_t(n) * n), means(n);
    double mean = 0;
    for (int i = 0, at = item * pairs; i < n; ++i) {
      for (int j = i + 1; j < n; ++j, ++at) {
        d[i * n + j] = d[j * n + i] = double(x[at]) - (item ? -2 : 0.25);
      }
    }
    for (int k = 0; k < n * n; ++k) means[k / n] += d[k] / n, mean += d[k] / n / n;
    for (int i = 0, at = item * size; i < n; ++i) {
      for (int j = i; j < n; ++j, ++at) {
        const double moment = -(d[i * n + j] - means[i] - means[j] + mean) / 2;
        const double expected = i == j ? moment : std::sqrt(2.0) * moment;
        good = good && std::abs(found[at] - expected) <= 1e-12;
      }
    }
  }
  expect(good, "second moments");
}

void vectors() {
  const double nan = std::nan("");
  products_of_pairs<double>();
  products_of_pairs<int32_t>();
  means();
  conclusions(Squares::sums, {1 / std::sqrt(24.0), nan, nan, nan});
  // Of 4 ranks: (4^3 - 4 - ties) / 3.
  conclusions(Squares::ranks, {1 / std::sqrt(12.0), nan, nan, 1 / std::sqrt(20.0)});
  conclusions(Squares::all_ranks, {1 / std::sqrt(20.0), nan, nan, 1 / std::sqrt(20.0)});
  blocks_of_columns_expanded();
  moments(9, 2);
  moments(40, 1);
}

const Topic topic("vectors", vectors);

}  // namespace
}  // namespace likewise::cuda::driver

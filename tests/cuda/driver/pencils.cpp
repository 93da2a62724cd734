#include "rsa/cuda/pencils.h"

#include "driver.h"
#include "rsa/cuda/simplex.h"

namespace likewise::cuda::driver {
namespace {

// Items of which one is not finite and one is constant.
void moments(int n) {
  constexpr int kCount = 3;
  const int entries = n * (n - 1) / 2, side = n - 1, size = side * side;
  for (const double wrong_value : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
    std::vector<double> rdms = normal<double>(size_t(kCount * entries));
    rdms[size_t(2 * entries - 1)] = wrong_value;
    std::vector<RdmItem> facts(kCount, RdmItem{1, 0, false, false});
    facts[2].constant = true;
    const OnDevice<double> given(rdms);
    const OnDevice<RdmItem> of(facts);
    const OnDevice<double> out(size_t(kCount * size));
    const OnDevice<int> faults(kCount);
    need(moments_about_first(given.get(), of.get(), kCount, n, out.get(), faults.get(), stream),
         "moments");
    expect(faults.values() == std::vector<int>{0, kNotFinite, kConstant}, "faults");
    const auto found = out.values();
    bool good = true;
    for (int item = 0; item < kCount; ++item) {
      std::vector<double> square(size_t(n * n), 0.0);
      int at = item * entries;
      for (int i = 0; i < n; ++i) {
        for (int j = i + 1; j < n; ++j) {
          square[i * n + j] = square[j * n + i] = rdms[size_t(at++)];
        }
      }
      for (int i = 1; i < n; ++i) {
        for (int j = 1; j < n; ++j) {
          const double moment = (square[i] + square[j] - square[i * n + j]) / 2;
          const double value = found[item * size + (i - 1) * side + j - 1];
          good = good && (item == 1 ? value == 0 : std::abs(value - moment) < 1e-14);
        }
      }
    }
    expect(good, "moments about the first sample");
  }
}

void ranks() {
  constexpr int kCount = 300, kSide = 5;
  const double least = kSide * 2.220446049250313e-16 * 4;
  std::vector<double> values;
  std::vector<int64_t> indefinite(kCount, 0);
  std::vector<int> expected(kCount, kConstant);
  for (int k = 0; k < kCount; ++k) {
    const double small = k % 4 == 1 ? 0.9 * least : k % 4 == 2 ? -1 : 1.1 * least;
    for (int j = 0; j < kSide; ++j) values.push_back(j == k % kSide ? 4 : 2);
    values[k * kSide + (k + 1) % kSide] = small;
    if (k % 4 == 1 || k % 4 == 2) expected[k] |= kLowRank;
  }
  indefinite[3] = 2;
  expected[3] |= kLowRank;
  for (int j = 0; j < kSide; ++j) values[j] = 0;
  expected[0] |= kLowRank;
  const OnDevice<double> given(values);
  const OnDevice<int64_t> without(indefinite);
  const OnDevice<int> faults(std::vector<int>(kCount, kConstant));
  need(find_low_rank(given.get(), without.get(), kCount, kSide, faults.get(), stream), "ranks");
  expect(faults.values() == expected, "ranks");
}

// What is above the diagonal is not read as part of the triangle.
void inverses(int side) {
  constexpr int kCount = 2;
  const size_t size = size_t(side) * side;
  std::vector<double> lower = normal<double>(kCount * size);
  for (size_t k = 0; k < lower.size(); ++k) {
    const int i = int(k % size) / side, j = int(k % size) % side;
    lower[k] = i == j ? 1 + std::abs(lower[k]) : j > i ? 0 : lower[k] / side;
  }
  const OnDevice<double> given(lower), out(kCount * size);
  need(invert_lower(given.get(), kCount, side, out.get(), stream), "inverse");
  const auto found = out.values();
  bool good = true;
  for (int item = 0; item < kCount; ++item) {
    for (int i = 0; i < side; ++i) {
      for (int j = 0; j < side; ++j) {
        double product = 0;
        for (int k = 0; k < side; ++k) {
          product += lower[item * size + i * side + k] * found[item * size + k * side + j];
        }
        good = good && std::abs(product - (i == j)) < 1e-12;
        good = good && (j <= i || found[item * size + i * side + j] == 0);
      }
    }
  }
  expect(good, "inverse");
}

// Pairs from the second one on, of 2 x 3 items; the matrix of the second pair is not asked for.
void pairs(int side) {
  constexpr int kFirst = 1, kCount = 4;
  const int size = side * side;
  const PairAxes axes{2, {2, 3}, {1, 0}, {0, 1}};
  const std::vector<double> a = normal<double>(2 * size), b = normal<double>(3 * size);
  const OnDevice<double> left(a), right(b), moments(kCount * size), inverses(kCount * size);
  need(gather_pencils(left.get(), right.get(), axes, kFirst, kCount, side, moments.get(),
                      inverses.get(), stream),
       "gather");
  const auto of_a = moments.values(), of_b = inverses.values();
  std::vector<Simplex> searches(kCount, Simplex{});
  for (int k = 0; k < kCount; ++k) {
    searches[k].signal = 2 + k;
    searches[k].noise = 0.5 * (k + 1);
    searches[k].shift = 10 + k;
    searches[k].done = k == 1;
  }
  const OnDevice<Simplex> asked(searches);
  const OnDevice<double> noise(size), out(kCount * size);
  need(noise_covariance(side, noise.get(), stream), "noise");
  need(combine_pencils(moments.get(), right.get(), axes, kFirst, kCount, side, asked.get(),
                       out.get(), stream),
       "combine");
  const auto covariance = noise.values(), found = out.values();
  bool gathered = true, combined = true, diagonal = true;
  for (int k = 0; k < kCount; ++k) {
    const int i = (kFirst + k) / 3, j = (kFirst + k) % 3;
    for (int at = 0; at < size; ++at) {
      const bool on_it = at / side == at % side;
      const double x = a[i * size + at], y = b[j * size + at];
      gathered = gathered && of_a[k * size + at] == x && of_b[k * size + at] == y;
      const double sum = (2 + k) * x + 0.5 * (k + 1) * y + (on_it ? 10 + k : 0);
      const double expected = k == 1 ? on_it : sum;
      combined = combined && std::abs(found[k * size + at] - expected) < 1e-13;
      diagonal = diagonal && covariance[at] == 1 + on_it;
    }
  }
  expect(gathered, "matrices of pairs");
  expect(combined, "combinations");
  expect(diagonal, "noise");
}

void all() {
  moments(4);
  moments(19);
  ranks();
  inverses(5);
  inverses(300);
  pairs(3);
  pairs(17);
}

const Topic topic("pencils", all);

}  // namespace
}  // namespace likewise::cuda::driver

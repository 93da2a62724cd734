#include "linalg/cuda/cholesky.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

std::vector<double> positive_definite(int d) {
  const std::vector<double> root = normal<double>(size_t(d) * d);
  std::vector<double> a(size_t(d) * d);
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j < d; ++j) {
      for (int k = 0; k < d; ++k) a[i * d + j] += root[i * d + k] * root[j * d + k];
    }
    a[i * d + i] += d;
  }
  return a;
}

// Matrices of which one (-1: none) is not positive definite from this column on.
void roots_of(int count, int d, int broken, int column) {
  std::vector<double> a;
  for (int item = 0; item < count; ++item) {
    const std::vector<double> one = positive_definite(d);
    a.insert(a.end(), one.begin(), one.end());
  }
  if (broken >= 0) a[(size_t(broken) * d + column) * d + column] = -1;
  const OnDevice<double> given(a), l(a.size());
  const OnDevice<int64_t> indefinite(std::vector<int64_t>(count, 0));
  Call call;
  cholesky(call.context(), given.get(), count, d, l.get(), indefinite.get());
  const auto found = l.values();
  const auto faults = indefinite.values();
  bool good = true;
  for (int item = 0; item < count; ++item) {
    const double* const root = found.data() + size_t(item) * d * d;
    expect((faults[item] > 0) == (item == broken), "matrices without a root");
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < d; ++j) {
        if (item == broken && i >= column && j >= column) {
          if (i >= j) good = good && std::isnan(root[i * d + j]);
          continue;
        }
        if (item == broken) continue;
        double sum = 0;
        for (int k = 0; k < d; ++k) sum += root[i * d + k] * root[j * d + k];
        good = good && std::abs(sum - a[(size_t(item) * d + i) * d + j]) <= 1e-11 * d;
        good = good && (i >= j || root[i * d + j] == 0);
      }
    }
  }
  expect(good, "root");
}

// More rows than a block has threads.
void long_panel() {
  constexpr int kD = 290, kWidth = int(kCholeskyPanel);
  const std::vector<double> a = positive_definite(kD);
  const OnDevice<double> given(a), l(a.size());
  need(cholesky_panel(given.get(), nullptr, 1, kD, 0, l.get(), nullptr, stream), "panel");
  const auto found = l.values();
  bool good = true;
  for (int i = 0; i < kD; ++i) {
    for (int j = 0; j < kWidth && j <= i; ++j) {
      double sum = 0;
      for (int k = 0; k <= j; ++k) sum += found[i * kD + k] * found[j * kD + k];
      good = good && std::abs(sum - a[i * kD + j]) <= 1e-11 * kD;
    }
  }
  expect(good, "panel of many rows");
}

void all() {
  roots_of(2, 40, 0, 35);
  roots_of(2, 20, 1, 3);
  roots_of(1, 70, -1, 0);
  long_panel();
}

const Topic topic("cholesky", all);

}  // namespace
}  // namespace likewise::cuda::driver

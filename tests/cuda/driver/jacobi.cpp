#include "linalg/cuda/jacobi.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Matrices of rank 5, of zeros, with NaN; n odd and even.
template <class T>
void decompose(int m, int n) {
  constexpr int kCount = 4;
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  std::vector<T> host = normal<T>(size_t(kCount) * n * m);
  for (int j = 5; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      host[j * m + i] = 0;
      for (int k = 0; k < 5; ++k) host[j * m + i] += host[k * m + i] * T(std::sin(7 * j + k));
    }
  }
  std::fill_n(host.begin() + n * m, n * m, T(0));
  for (int k = 0; k < n * m; ++k) host[2 * n * m + k] *= T(sizeof(T) == 4 ? 1e25 : 1e250);
  host[3 * n * m + m / 2] = T(std::nan(""));
  const OnDevice<T> columns(host), right(size_t(kCount) * n * n), values(size_t(kCount) * n);
  const OnDevice<T> sorted(size_t(kCount) * n), sums(kCount), scaled(host);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(jacobi_svd<T>({columns.get(), right.get(), values.get(), failure.get(), kCount, m, n},
                     stream),
       "svd");
  need(sort_descending<T>(values.get(), kCount, n, sorted.get(), stream), "sort");
  need(sum_values<T>(values.get(), kCount, n, sums.get(), stream), "sum");
  need(scale_rows<T>(scaled.get(), values.get(), kCount, n, m, stream), "scale");
  const auto u = columns.values(), v = right.values(), s = values.values();
  const auto down = sorted.values(), total = sums.values(), times = scaled.values();
  expect(failure.values()[0] == 3, "the one that failed");
  for (int q = 0; q < 3; ++q) {
    const double size = q == 2 ? (sizeof(T) == 4 ? 1e25 : 1e250) : 1;
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      sum += double(s[q * n + j]);
      expect(j == 0 || down[q * n + j] <= down[q * n + j - 1], "order of singular values");
      int found = 0;
      for (int k = 0; k < n; ++k) found += s[q * n + k] == down[q * n + j];
      expect(found > 0, "sorted singular value");
      for (int i = 0; i < m; ++i) {
        const double entry = double(host[(q * n + j) * m + i]);
        double rebuilt = 0;
        for (int k = 0; k < n; ++k) {
          rebuilt += double(u[(q * n + k) * m + i]) * double(s[q * n + k]) *
                     double(v[(q * n + k) * n + j]);
        }
        expect(std::abs(rebuilt - entry) <= tolerance * size * n, "product of the factors");
        expect(times[(q * n + j) * m + i] == T(host[(q * n + j) * m + i] * s[q * n + j]),
               "scaled row");
      }
      for (int k = 0; k < n; ++k) {
        double left = 0, side = 0;
        for (int i = 0; i < m; ++i)
          left += double(u[(q * n + j) * m + i]) * double(u[(q * n + k) * m + i]);
        for (int i = 0; i < n; ++i)
          side += double(v[(q * n + j) * n + i]) * double(v[(q * n + k) * n + i]);
        expect(std::abs(left - (j == k)) <= tolerance * 5, "left singular vectors");
        expect(std::abs(side - (j == k)) <= tolerance * 5, "right singular vectors");
      }
    }
    expect(std::abs(double(total[q]) - sum) <= tolerance * sum, "sum of singular values");
    if (q == 0 && n > 5) expect(down[5] <= T(tolerance) * down[0] && down[4] > 0, "rank");
    if (q == 1) expect(down[n] == 0, "singular values of zeros");
  }
  expect(std::isnan(s[3 * n]) && std::isnan(u[3 * n * m]) && std::isnan(v[3 * n * n]), "NaN");
}

void decompositions() {
  decompose<float>(9, 1);
  decompose<float>(33, 8);
  decompose<double>(40, 19);
  decompose<double>(18, 18);
}

const Topic topic("jacobi", decompositions);

}  // namespace
}  // namespace likewise::cuda::driver

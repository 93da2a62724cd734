#include "linalg/cuda/jacobi.h"

#include "svd.h"

namespace likewise::cuda::driver {
namespace {

// n odd and even.
template <class T>
void decompose(int m, int n) {
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  const std::vector<T> host = svd_matrices<T>(m, n);
  const OnDevice<T> columns(host), right(size_t(kSvdItems) * n * n), values(size_t(kSvdItems) * n);
  const OnDevice<T> sorted(size_t(kSvdItems) * n), sums(kSvdItems), scaled(host);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(jacobi_svd<T>({columns.get(), right.get(), values.get(), failure.get(), kSvdItems, m, n},
                     stream),
       "svd");
  need(sort_descending<T>(values.get(), kSvdItems, n, sorted.get(), stream), "sort");
  need(sum_values<T, T>(values.get(), kSvdItems, n, sums.get(), stream), "sum");
  need(scale_rows<T>(scaled.get(), values.get(), kSvdItems, n, m, stream), "scale");
  const auto s = values.values(), down = sorted.values();
  const auto total = sums.values(), times = scaled.values();
  expect(failure.values()[0] == 3, "the one that failed");
  expect_svd(host, m, n, columns.values(), right.values(), s);
  for (int q = 0; q < 3; ++q) {
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      sum += double(s[q * n + j]);
      expect(j == 0 || down[q * n + j] <= down[q * n + j - 1], "order of singular values");
      int found = 0;
      for (int k = 0; k < n; ++k) found += s[q * n + k] == down[q * n + j];
      expect(found > 0, "sorted singular value");
      for (int i = 0; i < m; ++i) {
        const int64_t at = (int64_t(q) * n + j) * m + i;
        expect(times[at] == T(host[at] * s[q * n + j]), "scaled row");
      }
    }
    expect(std::abs(double(total[q]) - sum) <= tolerance * sum, "sum of singular values");
  }
}

// Columns of a reflection, one of them without a direction.
void completion() {
  constexpr int kM = 36, kN = 34, kLost = 3;
  std::vector<double> host(kN * kM), ones(kN, 1.0);
  for (int j = 0; j < kN; ++j) {
    for (int i = 0; i < kM; ++i) host[j * kM + i] = j == kLost ? 0 : (i == j) - 2.0 / kM;
  }
  ones[kLost] = 0;
  const OnDevice<double> columns(host), values(ones);
  need(complete_columns<double>({columns.get(), nullptr, values.get(), nullptr, 1, kM, kN}, stream),
       "completion");
  const auto found = columns.values();
  for (int j = 0; j < kN; ++j) {
    double product = 0;
    for (int i = 0; i < kM; ++i) product += found[kLost * kM + i] * found[j * kM + i];
    expect(std::abs(product - (j == kLost)) < 1e-14, "completed column");
  }
}

void decompositions() {
  decompose<float>(9, 1);
  decompose<float>(33, 8);
  decompose<double>(40, 19);
  decompose<double>(18, 18);
  completion();
}

const Topic topic("jacobi", decompositions);

}  // namespace
}  // namespace likewise::cuda::driver

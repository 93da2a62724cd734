#pragma once

#include "driver.h"

namespace likewise::cuda::driver {

// Matrices to decompose, column j of one being its j-th row of m numbers: zeros; of rank 5, of
// normal size and huge; with NaN.
constexpr int kSvdItems = 4, kRank = 5;

template <class T>
double svd_size(int item) {
  return item == 2 ? (sizeof(T) == 4 ? 1e25 : 1e250) : 1;
}

template <class T>
std::vector<T> svd_matrices(int m, int n) {
  std::vector<T> host = normal<T>(size_t(kSvdItems) * n * m);
  for (int q = 0; q < kSvdItems; ++q) {
    T* const columns = host.data() + size_t(q) * n * m;
    for (int j = kRank; j < n; ++j) {
      for (int i = 0; i < m; ++i) {
        columns[j * m + i] = 0;
        for (int k = 0; k < kRank; ++k) {
          columns[j * m + i] += columns[k * m + i] * T(std::sin(7 * j + k));
        }
      }
    }
    for (int k = 0; k < n * m; ++k) columns[k] *= T(q == 0 ? 0 : svd_size<T>(q));
  }
  host[3 * n * m + m / 2] = T(std::nan(""));
  return host;
}

// Whether these are their decompositions, as jacobi_svd gives them.
template <class T>
void expect_svd(const std::vector<T>& host, int m, int n, const std::vector<T>& u,
                const std::vector<T>& v, const std::vector<T>& s) {
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  for (int q = 0; q < 3; ++q) {
    int rank = 0;
    for (int j = 0; j < n; ++j) {
      rank += double(s[q * n + j]) > tolerance * svd_size<T>(q);
      expect(q > 0 || s[q * n + j] == 0, "singular values of zeros");
      for (int i = 0; i < m; ++i) {
        double rebuilt = 0;
        for (int k = 0; k < n; ++k) {
          rebuilt += double(u[(q * n + k) * m + i]) * double(s[q * n + k]) *
                     double(v[(q * n + k) * n + j]);
        }
        expect(
            std::abs(rebuilt - double(host[(q * n + j) * m + i])) <= tolerance * svd_size<T>(q) * n,
            "product of the factors");
      }
      for (int k = 0; k < n; ++k) {
        double left = 0, side = 0;
        for (int i = 0; i < m; ++i) {
          left += double(u[(q * n + j) * m + i]) * double(u[(q * n + k) * m + i]);
        }
        for (int i = 0; i < n; ++i) {
          side += double(v[(q * n + j) * n + i]) * double(v[(q * n + k) * n + i]);
        }
        expect(std::abs(left - (j == k)) <= tolerance * 5, "left singular vectors");
        expect(std::abs(side - (j == k)) <= tolerance * 5, "right singular vectors");
      }
    }
    expect(rank == (q == 0 ? 0 : std::min(n, kRank)), "rank");
  }
  bool all_nan = true;
  for (int k = 0; k < n; ++k) all_nan = all_nan && std::isnan(s[3 * n + k]);
  for (int k = 0; k < n * m; ++k) all_nan = all_nan && std::isnan(u[3 * n * m + k]);
  for (int k = 0; k < n * n; ++k) all_nan = all_nan && std::isnan(v[3 * n * n + k]);
  expect(all_nan, "NaN");
}

}  // namespace likewise::cuda::driver

#include "linalg/cuda/jacobi_shared.h"

#include "svd.h"

namespace likewise::cuda::driver {
namespace {

// With vectors and without, of the matrices and of their transposes.
template <class T>
void decompose(int m, int n) {
  const std::vector<T> host = svd_matrices<T>(m, n);
  std::vector<T> turned(host.size());
  for (int q = 0; q < kSvdItems; ++q) {
    for (int k = 0; k < n * m; ++k) {
      turned[q * n * m + k % m * n + k / m] = host[q * n * m + k];
    }
  }
  std::vector<T> first;
  for (const bool transposed : {true, false}) {
    const OnDevice<T> a(transposed ? host : turned), columns(host.size());
    const OnDevice<T> right(size_t(kSvdItems) * n * n), values(size_t(kSvdItems) * n);
    const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
    const JacobiSvd<T> svd{
        columns.get(), right.get(), values.get(), failure.get(), kSvdItems, m, n};
    need(jacobi_svd_shared<T>(a.get(), transposed, svd, stream), "svd");
    expect_svd(host, m, n, columns.values(), right.values(), values.values());
    expect(failure.values()[0] == 3, "the one that failed");
    if (transposed) {
      first = values.values();
      continue;
    }
    const OnDevice<T> alone(size_t(kSvdItems) * n);
    need(jacobi_svd_shared<T>(a.get(), transposed,
                              {nullptr, nullptr, alone.get(), nullptr, kSvdItems, m, n}, stream),
         "values");
    const auto without = alone.values(), with = values.values();
    for (int k = 0; k < 3 * n; ++k) {
      expect(with[k] == first[k] && without[k] == first[k], "the same singular values");
    }
    for (int k = 3 * n; k < 4 * n; ++k) expect(std::isnan(without[k]), "NaN");
  }
}

// Takes nearly 48 KiB beside what is static, which together is more than a kernel has without
// asking.
template <class T>
void at_the_limit_without_asking(int m, int n) {
  std::vector<T> host(size_t(m) * n);
  for (int j = 0; j < n; ++j) host[size_t(j) * m + j] = T(n - j);
  const OnDevice<T> a(host), columns(host.size()), right(size_t(n) * n), values(n);
  const JacobiSvd<T> svd{columns.get(), right.get(), values.get(), nullptr, 1, m, n};
  need(jacobi_svd_shared<T>(a.get(), true, svd, stream), "svd at the limit");
  const auto found = values.values();
  for (int j = 0; j < n; ++j) expect(found[j] == T(n - j), "singular values at the limit");
}

// Columns of lengths 1 to n, mixed in pairs: more of them than a block turns at a time.
void values_of_many_columns() {
  constexpr int kM = 70, kN = 67;
  std::vector<float> host(kM * kN);
  for (int j = 0; j < kN; ++j) {
    const int other = kN - 1 - j;
    host[j * kM + j] += float(j + 1) * (j == other ? 1.f : 0.8f);
    if (j != other) host[other * kM + j] += float(j + 1) * (j < other ? 0.6f : -0.6f);
  }
  const OnDevice<float> a(host), values(kN), sorted(kN);
  need(jacobi_svd_shared<float>(a.get(), true, {nullptr, nullptr, values.get(), nullptr, 1, kM, kN},
                                stream),
       "values");
  need(sort_descending<float>(values.get(), 1, kN, sorted.get(), stream), "sort");
  const auto found = sorted.values();
  for (int j = 0; j < kN; ++j) {
    expect(std::abs(found[j] - float(kN - j)) < 1e-4f, "singular values of many columns");
  }
}

// Singular values from 1 to 1e-12, none of them rounding errors. The lengths that are carried along
// make this settle in time.
void values_of_graded_rows() {
  constexpr int kN = 32;
  std::vector<double> host(kN * kN), exact(kN), w(kN);
  double squares = 0, sum = 0;
  for (int i = 0; i < kN; ++i) {
    exact[i] = std::pow(10, -12.0 * i / (kN - 1));
    w[i] = std::sin(i + 1);
    squares += w[i] * w[i];
    sum += w[i];
  }
  for (int j = 0; j < kN; ++j) {
    for (int i = 0; i < kN; ++i) {  // a product of two reflections
      const double reflected = (i == j) - 2 * w[i] * w[j] / squares;
      const double mean = (1 - 2 * sum * w[j] / squares) / kN;
      host[j * kN + i] = exact[i] * (reflected - 2 * mean);
    }
  }
  const OnDevice<double> a(host), values(kN), sorted(kN);
  const JacobiSvd<double> svd{nullptr, nullptr, values.get(), nullptr, 1, kN, kN};
  need(jacobi_svd_shared<double>(a.get(), true, svd, stream), "values");
  need(sort_descending<double>(values.get(), 1, kN, sorted.get(), stream), "sort");
  const auto found = sorted.values();
  for (int j = 0; j < kN; ++j) {
    expect(std::abs(found[j] - exact[j]) < 1e-14, "singular values of graded rows");
  }
}

void decompositions() {
  at_the_limit_without_asking<float>(110, 66);  // first: the limit stays where it was raised
  at_the_limit_without_asking<double>(128, 36);
  decompose<float>(9, 1);     // a block of one warp, most of it idle
  decompose<float>(150, 7);   // odd, 16 lanes for a pair
  decompose<double>(21, 20);  // several warps, the last of them partly idle
  values_of_many_columns();
  values_of_graded_rows();
  expect(fits_shared_memory<double>(64, 64, true), "64 x 64 fits");
  expect(!fits_shared_memory<double>(200, 64, false), "200 x 64 does not");
}

const Topic topic("jacobi_shared", decompositions);

}  // namespace
}  // namespace likewise::cuda::driver

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "core/error.h"
#include "linalg/linalg.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr int64_t kPadding = 3;  // every matrix has a leading dimension beyond its width

TEST_BOTH(gemm) {
  for (const Op op_a : {Op::none, Op::transpose}) {
    for (const Op op_b : {Op::none, Op::transpose}) {
      const int64_t m = 7, n = 5, k = 11;
      const Matrix a = random_matrix(m, k, 1), b = random_matrix(k, n, 2);
      const Matrix c = random_matrix(m, n, 3);
      const Matrix stored_a = op_a == Op::none ? a : transposed(a);
      const Matrix stored_b = op_b == Op::none ? b : transposed(b);
      const int64_t lda = stored_a.cols + kPadding, ldb = stored_b.cols + kPadding;
      const int64_t ldc = n + kPadding;
      const auto pa = stored_a.padded<T>(lda, T(NAN)), pb = stored_b.padded<T>(ldb, T(NAN));
      auto pc = c.padded<T>(ldc, T(7));

      Matrix expected = product(a, b);
      for (size_t i = 0; i < expected.data.size(); ++i) {
        expected.data[i] = 2 * expected.data[i] - 0.5 * c.data[i];
      }
      gemm<T>(op_a, op_b, m, n, k, T(2), pa.data(), lda, pb.data(), ldb, T(-0.5), pc.data(), ldc);
      CHECK(largest_difference(expected, pc.data(), ldc) < kTolerance<T>);
      CHECK(pc[size_t(n)] == T(7));  // the padding is untouched

      std::fill(pc.begin(), pc.end(), T(NAN));  // beta = 0 ignores what C held
      gemm<T>(op_a, op_b, m, n, k, T(1), pa.data(), lda, pb.data(), ldb, T(0), pc.data(), ldc);
      CHECK(largest_difference(product(a, b), pc.data(), ldc) < kTolerance<T>);
    }
  }
}

TEST_BOTH(gram_and_symmetrize) {
  for (const Op op : {Op::none, Op::transpose}) {
    const int64_t n = 9, k = 23, ldc = n + kPadding;
    const Matrix a = random_matrix(n, k, 4);
    const Matrix stored = op == Op::none ? a : transposed(a);
    const auto pa = stored.padded<T>(stored.cols + kPadding, T(NAN));
    std::vector<T> c(size_t(n * ldc), T(0.25));
    gram<T>(op, n, k, T(3), pa.data(), stored.cols + kPadding, T(2), c.data(), ldc);

    Matrix expected = product(a, transposed(a));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        expected(i, j) = j > i ? 0.25 : 3 * expected(i, j) + 0.5;
      }
    }
    CHECK(largest_difference(expected, c.data(), ldc) < kTolerance<T>);

    symmetrize<T>(n, c.data(), ldc);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < i; ++j) expected(j, i) = expected(i, j);
    }
    CHECK(largest_difference(expected, c.data(), ldc) < kTolerance<T>);
  }
}

// Products that are too long for one call of BLAS, against strips that are not.
TEST(long_products_are_those_of_their_parts) {
  const int64_t m = 1100, n = 1001, k = 1000, strip = 100;
  const std::vector<float> a = random_matrix(m, k, 1).padded<float>(k);
  const std::vector<float> b = random_matrix(k, n, 2).padded<float>(n);
  const Matrix at = transposed(random_matrix(m, k, 1)), bt = transposed(random_matrix(k, n, 2));
  const std::vector<float> a_t = at.padded<float>(m), b_t = bt.padded<float>(k);
  std::vector<float> expected(size_t(m * n)), found(size_t(m * n));
  for (int64_t i = 0; i < m; i += strip) {
    gemm<float>(Op::none, Op::none, strip, n, k, 1, &a[size_t(i * k)], k, b.data(), n, 0,
                &expected[size_t(i * n)], n);
  }
  const auto agrees = [&](int64_t rows, int64_t cols, bool lower) {
    float worst = 0;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < (lower ? i + 1 : cols); ++j) {
        const size_t at_ij = size_t(i * cols + j);
        worst = std::max(worst, std::abs(found[at_ij] - expected[at_ij]));
      }
    }
    CHECK(worst <= 1e-3f);  // of sums of 1000 products of numbers about 1
  };
  for (const Op op_a : {Op::none, Op::transpose}) {
    for (const Op op_b : {Op::none, Op::transpose}) {
      std::fill(found.begin(), found.end(), 0.0f);
      gemm<float>(op_a, op_b, m, n, k, 1, op_a == Op::none ? a.data() : a_t.data(),
                  op_a == Op::none ? k : m, op_b == Op::none ? b.data() : b_t.data(),
                  op_b == Op::none ? n : k, 0, found.data(), n);
      agrees(m, n, false);
    }
  }
  expected.assign(size_t(m * m), 0.0f);
  for (int64_t i = 0; i < m; i += strip) {
    gemm<float>(Op::none, Op::none, strip, m, k, 1, &a[size_t(i * k)], k, a_t.data(), m, 0,
                &expected[size_t(i * m)], m);
  }
  for (const Op op : {Op::none, Op::transpose}) {
    found.assign(size_t(m * m), 0.0f);
    gram<float>(op, m, k, 1, op == Op::none ? a.data() : a_t.data(), op == Op::none ? k : m, 0,
                found.data(), m);
    agrees(m, m, true);
  }
}

template <class T>
void svd_rebuilds(int64_t m, int64_t n) {
  const int64_t r = std::min(m, n), lda = n + kPadding;
  const Matrix a = random_matrix(m, n, 5);
  auto destroyed = a.padded<T>(lda, T(NAN));
  std::vector<T> s(size_t(r), T(0)), u(size_t(m * r)), vt(size_t(r * n));
  CHECK(svd<T>(m, n, destroyed.data(), lda, s.data(), u.data(), vt.data()));

  Matrix us(m, r), rebuilt_vt(r, n), left(m, r);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < r; ++j) {
      left(i, j) = double(u[size_t(i * r + j)]);
      us(i, j) = left(i, j) * double(s[size_t(j)]);
    }
  }
  std::copy(vt.begin(), vt.end(), rebuilt_vt.data.begin());
  const Matrix rebuilt = product(us, rebuilt_vt);
  CHECK(largest_difference(a, rebuilt.data.data(), n) < kTolerance<T>);

  Matrix identity(r, r);
  for (int64_t i = 0; i < r; ++i) identity(i, i) = 1;
  const Matrix utu = product(transposed(left), left);
  const Matrix vvt = product(rebuilt_vt, transposed(rebuilt_vt));
  CHECK(largest_difference(identity, utu.data.data(), r) < kTolerance<T>);
  CHECK(largest_difference(identity, vvt.data.data(), r) < kTolerance<T>);
  CHECK(std::is_sorted(s.rbegin(), s.rend()) && s.back() >= 0);

  destroyed = a.padded<T>(lda, T(NAN));
  std::vector<T> values(size_t(r), T(0));
  CHECK(singular_values<T>(m, n, destroyed.data(), lda, values.data()));
  for (int64_t i = 0; i < r; ++i) {
    CHECK_NEAR(double(values[size_t(i)]), double(s[size_t(i)]), kTolerance<T>);
  }
}

TEST(svd_of_square_tall_and_wide_matrices) {
  for (const auto& [m, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {8, 8}, {40, 6}, {6, 40}, {1, 9}, {9, 1}, {60, 59}}) {
    svd_rebuilds<float>(m, n);
    svd_rebuilds<double>(m, n);
  }
}

template <class T>
bool all_nan(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return std::isnan(x); });
}

template <class T>
void has_no_decomposition(double bad, int64_t n, int64_t row, int64_t col) {
  Matrix a = random_matrix(n, n, 6);
  a(row, col) = bad;
  const size_t size = size_t(n);
  auto destroyed = a.padded<T>(n);
  std::vector<T> s(size, T(0)), u(size * size), vt(size * size);
  CHECK(!singular_values<T>(n, n, destroyed.data(), n, s.data()));
  CHECK(all_nan(s));

  destroyed = a.padded<T>(n);
  std::fill(s.begin(), s.end(), T(0));
  CHECK(!svd<T>(n, n, destroyed.data(), n, s.data(), u.data(), vt.data()));
  CHECK(all_nan(s));

  for (const bool vectors : {false, true}) {
    destroyed = a.padded<T>(n);
    std::fill(s.begin(), s.end(), T(0));
    CHECK(!symmetric_eigen<T>(n, destroyed.data(), n, s.data(), vectors));
    CHECK(all_nan(s));
  }
}

TEST(a_failed_decomposition_says_so_and_leaves_nan) {
  for (const int64_t n : {1, 2, 5, 40}) {
    for (const auto& [row, col] : {std::pair{n - 1, int64_t{0}}, {n - 1, n - 1}, {n / 2, n / 3}}) {
      for (const double bad : {double(NAN), double(INFINITY)}) {
        has_no_decomposition<float>(bad, n, row, col);
        has_no_decomposition<double>(bad, n, row, col);
      }
    }
  }
}

template <class T>
void eigenvectors_are_rows(int64_t n) {
  const int64_t lda = n + kPadding;
  const Matrix half = random_matrix(n, n, 7);
  Matrix a(n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) a(i, j) = half(i, j) + half(j, i);
  }
  auto destroyed = a.padded<T>(lda);
  for (int64_t i = 0; i < n; ++i) {  // only the lower triangle is read
    for (int64_t j = i + 1; j < n; ++j) destroyed[size_t(i * lda + j)] = T(NAN);
  }
  auto values_only = destroyed;
  std::vector<T> w(size_t(n), T(0)), v(size_t(n), T(0));
  CHECK(symmetric_eigen<T>(n, destroyed.data(), lda, w.data(), true));
  CHECK(std::is_sorted(w.begin(), w.end()));

  Matrix vectors(n, n), scaled(n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      vectors(i, j) = double(destroyed[size_t(i * lda + j)]);
      scaled(i, j) = vectors(i, j) * double(w[size_t(i)]);
    }
  }
  const Matrix image = product(vectors, a);  // row i: v_i' A = w_i v_i'
  CHECK(largest_difference(image, scaled.data.data(), n) < kTolerance<T>);

  CHECK(symmetric_eigen<T>(n, values_only.data(), lda, v.data(), false));
  for (int64_t i = 0; i < n; ++i) {
    CHECK_NEAR(double(v[size_t(i)]), double(w[size_t(i)]), kTolerance<T>);
  }
}

TEST(eigen_decomposition_of_symmetric_matrices) {
  for (const int64_t n : {1, 2, 17, 50}) {
    eigenvectors_are_rows<float>(n);
    eigenvectors_are_rows<double>(n);
  }
}

template <class T>
void the_root_keeps_inner_products(int64_t m, int64_t n) {
  const int64_t lda = n + kPadding;
  const Matrix a = random_matrix(m, n, 8);
  auto destroyed = a.padded<T>(lda);
  std::vector<T> root(size_t(m * m), T(NAN));
  triangular_root<T>(m, n, destroyed.data(), lda, root.data());
  Matrix l(m, m);
  std::copy(root.begin(), root.end(), l.data.begin());
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = i + 1; j < m; ++j) CHECK(l(i, j) == 0);
  }
  const Matrix expected = product(a, transposed(a));
  const Matrix rebuilt = product(l, transposed(l));
  CHECK(largest_difference(expected, rebuilt.data.data(), m) < kTolerance<T>);
}

TEST(triangular_roots) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1, 1}, {1, 30}, {12, 12}, {12, 90}}) {
    the_root_keeps_inner_products<float>(m, n);
    the_root_keeps_inner_products<double>(m, n);
  }
  std::vector<double> tall(6), l(9);
  CHECK_THROWS(InternalError, triangular_root<double>(3, 2, tall.data(), 2, l.data()));
}

template <class T>
void solutions_of_positive_matrices(int64_t n) {
  const Matrix root = random_matrix(n, n + 20, 9), x = random_matrix(n, 1, 10);
  const Matrix a = product(root, transposed(root));
  Matrix lower = a;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) lower(i, j) = NAN;
  }
  auto destroyed = lower.padded<T>(n);
  auto solution = product(a, x).padded<T>(1);
  CHECK(solve_positive<T>(n, destroyed.data(), solution.data()));
  for (int64_t i = 0; i < n; ++i) CHECK_NEAR(solution[size_t(i)], x(i, 0), 100 * kTolerance<T>);
}

TEST(positive_matrices) {
  for (const int64_t n : {1, 2, 17, 50}) {
    solutions_of_positive_matrices<float>(n);
    solutions_of_positive_matrices<double>(n);
  }
  std::vector<double> saddle = {1, 0, 2, 1}, b = {1, 1};
  CHECK(!solve_positive<double>(2, saddle.data(), b.data()));
}

TEST(empty_matrices_are_no_error) {
  double* none = nullptr;
  gemm<double>(Op::none, Op::none, 0, 3, 3, 1, none, 3, none, 3, 0, none, 3);
  gram<double>(Op::none, 0, 3, 1, none, 3, 0, none, 1);
  CHECK(singular_values<double>(0, 3, none, 3, none));
  CHECK(svd<double>(3, 0, none, 1, none, none, none));
  CHECK(symmetric_eigen<double>(0, none, 1, none, true));
  triangular_root<double>(0, 3, none, 3, none);
}

TEST(sizes_beyond_32_bits_are_refused) {
  double* none = nullptr;
  const int64_t huge = int64_t{1} << 33;
  CHECK_THROWS(InputError,
               gemm<double>(Op::none, Op::none, huge, 1, 1, 1, none, 1, none, 1, 0, none, 1));
  CHECK_THROWS(InputError, gram<double>(Op::none, huge, 1, 1, none, 1, 0, none, 1));
}

}  // namespace

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "linalg/bidiagonal.h"
#include "linalg/linalg.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

std::vector<double> values_of(const Matrix& a) {
  std::vector<double> copy = a.data, s(size_t(std::min(a.rows, a.cols)));
  CHECK(singular_values<double>(a.rows, a.cols, copy.data(), a.cols, s.data()));
  return s;
}

// T is the precision of the work, In that of the input.
template <class T, class In>
void values_match_lapack(const Matrix& a) {
  BidiagonalReduction<T> reduction;
  const int64_t ld = a.cols + 3;
  const std::vector<In> given = a.padded<In>(ld, In(NAN));
  const std::vector<double> expected = values_of(a);
  const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
  const double tolerance = (sizeof(T) == 8 ? 1e-13 : 1e-6) * (sum + 1e-300);
  const double factor = unit_factor(a.rows, a.cols, given.data(), ld);
  for (int repeat = 0; repeat < 2; ++repeat) {  // the second time over used memory
    Bidiagonal b = reduction.reduce(a.rows, a.cols, given.data(), ld, factor);
    CHECK_NEAR(nuclear_norm(b) / factor, sum, tolerance);
    std::vector<double> s(expected.size(), NAN);
    CHECK(singular_values(b, int64_t(s.size()), s.data()));
    for (size_t i = 0; i < s.size(); ++i) CHECK_NEAR(s[i] / factor, expected[i], tolerance);
  }
}

// One reflection at a time, blocked, and blocked after a triangular root; tall and wide.
constexpr std::pair<int64_t, int64_t> kShapes[] = {{1, 1},     {1, 7},     {7, 1},     {5, 5},
                                                   {33, 20},   {20, 33},   {112, 112}, {113, 113},
                                                   {130, 120}, {120, 130}, {260, 125}, {125, 260}};

TEST(values_of_random_matrices) {
  for (const auto& [m, n] : kShapes) {
    const Matrix a = random_matrix(m, n, 3);
    values_match_lapack<double, double>(a);
    values_match_lapack<double, float>(a);
    values_match_lapack<float, float>(a);
  }
}

TEST(values_of_deficient_and_graded_matrices) {
  for (const auto& [m, n] : kShapes) {
    values_match_lapack<double, double>(product(random_matrix(m, 2, 1), random_matrix(2, n, 2)));
    values_match_lapack<double, double>(Matrix(m, n));
    Matrix graded = random_matrix(m, n, 4);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) graded(i, j) *= 1e200 * std::pow(0.8, double(j));
    }
    values_match_lapack<double, double>(graded);
  }
}

TEST(nan_gives_nan) {
  for (const int64_t n : {5, 120}) {
    for (const double bad : {double(NAN), double(INFINITY)}) {
      Matrix a = random_matrix(n, n, 5);
      a(n / 2, n / 3) = bad;
      BidiagonalReduction<double> reduction;
      Bidiagonal b = reduction.reduce(n, n, a.data.data(), n, 1);
      CHECK(std::isnan(nuclear_norm(b)));
      std::vector<double> s(size_t(n), 0);
      CHECK(!singular_values(b, n, s.data()) && std::isnan(s[0]) && std::isnan(s.back()));
    }
  }
}

}  // namespace

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "linalg/bidiagonal.h"
#include "linalg/linalg.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr int64_t kPadding = 3;

double sum_by_lapack(const Matrix& a) {
  std::vector<double> work = a.data, s(std::min(a.rows, a.cols));
  CHECK(singular_values<double>(a.rows, a.cols, work.data(), a.cols, s.data()));
  double sum = 0;
  for (const double value : s) sum += value;
  return sum;
}

// Every shape in turn through one object: what one leaves in its memory must not reach the next.
TEST_BOTH(sums_of_singular_values) {
  BidiagonalReduction<T> reduction;
  const int64_t shapes[][2] = {{1, 1},       {3, 2},     {17, 40},   {112, 112}, {113, 113},
                               {160, 129},   {129, 160}, {400, 115}, {115, 400}, {30, 4},
                               {1030, 1024}, {2, 300},   {144, 144}};
  for (const auto& [m, n] : shapes) {
    const Matrix a = random_matrix(m, n, uint64_t(m + n));
    const int64_t lda = n + kPadding;
    const auto padded = a.padded<T>(lda, T(NAN));
    const double factor = 1.0 / double(m + n);
    const double sum = nuclear_norm(reduction.reduce(m, n, padded.data(), lda, factor)) / factor;
    const double expected = sum_by_lapack(a);
    CHECK_NEAR(sum / expected, 1, sizeof(T) == 8 ? 1e-14 : 1e-7);
  }
}

TEST(the_sum_needs_no_reduction_for_a_diagonal) {
  for (const double small : {1.0, 1e-3, 1e-8, 1e-15, 1e-17, 1e-40, 0.0}) {
    const Bidiagonal b{{1, small, -small, 0.5}, {0, 0, 0, 0}};
    CHECK_NEAR(nuclear_norm(b) / (1.5 + 2 * small), 1, 1e-15);
    const Bidiagonal scaled{{1e200, small * 1e200, -small * 1e200, 5e199}, {0, 0, 0, 0}};
    CHECK_NEAR(nuclear_norm(scaled) / (1.5e200 + 2 * small * 1e200), 1, 1e-15);
  }
  CHECK(nuclear_norm(Bidiagonal{{0, 0}, {0, 0}}) == 0);
}

TEST(nan_and_infinity_give_nan) {
  for (const int64_t n : {5, 120}) {
    for (const double bad : {double(NAN), std::numeric_limits<double>::infinity()}) {
      Matrix a = random_matrix(n, n, 1);
      a(n / 2, n / 3) = bad;
      BidiagonalReduction<double> exact;
      CHECK(std::isnan(nuclear_norm(exact.reduce(n, n, a.data.data(), n, 1))));
      BidiagonalReduction<float> fast;
      CHECK(std::isnan(nuclear_norm(fast.reduce(n, n, a.data.data(), n, 1))));
    }
  }
}

TEST(factors_are_powers_of_two_that_bring_entries_to_one) {
  const double a[] = {3, -20, 0.1, 7};
  CHECK(unit_factor<double>(2, 2, a, 2) == 1.0 / 32);
  CHECK(unit_factor<double>(2, 1, a, 2) == 1.0 / 4);  // the second column is not looked at
  const double zero[] = {0, 0}, bad[] = {1, NAN};
  CHECK(unit_factor<double>(1, 2, zero, 2) == 1);
  CHECK(unit_factor<double>(1, 2, bad, 2) == 1);
}

}  // namespace

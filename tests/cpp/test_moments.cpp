#include <cmath>

#include "check.h"
#include "moments/moments.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

TEST(a_frame_is_the_mean_and_a_power_of_two_above_all_deviations) {
  Matrix x = random_matrix(9, 3, 1), y = random_matrix(9, 2, 2);
  for (int64_t i = 0; i < 9; ++i) {
    x(i, 1) = 0.1;
    y(i, 0) = 1e150 * (y(i, 0) + 5);
  }
  const Items<double> items({x, y});
  std::vector<double> shift(5), unit(2), ratio(2), divided(18);
  begin_frame(items.arrays, 2, shift.data(), unit.data());
  CHECK(shift[1] == 0.1 && unit[0] == kLeastUnit);
  double mean = 0, most = 0;
  for (int64_t i = 0; i < 9; ++i) mean += y(i, 0) / 9;
  CHECK_NEAR(shift[3] / mean, 1, 1e-14);
  grow_units(items.arrays, shift.data(), 2, unit.data(), ratio.data());
  for (int64_t i = 0; i < 9; ++i) most = std::max(most, std::abs(y(i, 0) - shift[3]));
  CHECK(unit[1] > most && unit[1] <= 2 * most && ratio[1] == kLeastUnit / unit[1]);
  divide_by_units({items.arrays[1]}, &unit[1], 1, {array_of(divided, {9, 2})});
  CHECK(divided[2] == y(1, 0) / unit[1]);
}

// Beside what was there, in units that grow; in tiles. Augmented data as moments.h defines them.
TEST_BOTH(sums_are_those_of_the_definition) {
  const int64_t n = 19;
  for (const auto& [first, step, width] :
       {std::array<int64_t, 3>{0, 1, 7}, {2, 3, 600}, {n, 4, 7}}) {
    const Matrix x = random_matrix(n, width, 2), y = random_matrix(n, 5, 3);
    const Items<T> a({x}), b({y});
    const std::vector<double> shift_x = random_matrix(1, width, 4).data, unit_x{0.25};
    const std::vector<double> shift_y = random_matrix(1, 5, 5).data, unit_y{4}, ratio{0.5};
    const auto augmented = [](const Matrix& m, const std::vector<double>& shift, double unit) {
      Matrix out(m.rows, 2 + m.cols, 1);
      for (int64_t i = 0; i < m.rows; ++i) {
        out(i, 1) = 0;
        for (int64_t j = 0; j < m.cols; ++j) {
          out(i, 2 + j) = (m(i, j) - shift[size_t(j)]) / unit;
          out(i, 1) += out(i, 2 + j) * out(i, 2 + j);
        }
      }
      return out;
    };
    const Matrix left = augmented(x, shift_x, 0.25), right = augmented(y, shift_y, 4);
    const auto growth = [](int64_t k) { return k == 0 ? 1.0 : k == 1 ? 0.25 : 0.5; };
    for (const bool symmetric : {false, true}) {
      const Matrix& other = symmetric ? left : right;
      std::vector<double> total(size_t(left.cols * other.cols), 0.5);
      add_moments(a.arrays, symmetric ? Arrays{} : b.arrays, first, step,
                  {shift_x.data(), unit_x.data(), ratio.data()},
                  {shift_y.data(), unit_y.data(), ratio.data()}, 3, total.data());
      for (int64_t i = 0; i < left.cols; ++i) {
        for (int64_t j = 0; j < other.cols; ++j) {
          double expected = 0.5 * growth(i) * growth(j);
          for (int64_t r = first; r < n; r += step) expected += left(r, i) * other(r, j);
          CHECK_NEAR(total[size_t(i * other.cols + j)], expected, 1e-11 * (1 + std::abs(expected)));
        }
      }
    }
  }
}

}  // namespace

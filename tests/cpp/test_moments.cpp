#include <cmath>

#include "check.h"
#include "moments/moments.h"
#include "naive.h"

using namespace likewise;
using namespace likewise::testing;

namespace {

// Augmented data, as moments.h defines them.
std::vector<std::vector<double>> augmented(const std::vector<Matrix>& items,
                                           const std::vector<double>& shift,
                                           const std::vector<double>& unit) {
  std::vector<std::vector<double>> out(size_t(items[0].rows), {1.0});
  for (int64_t i = 0; i < items[0].rows; ++i) {
    std::vector<double> all;
    for (size_t k = 0; k < items.size(); ++k) {
      double square = 0;
      for (int64_t j = 0; j < items[k].cols; ++j) {
        all.push_back((items[k](i, j) - shift[all.size()]) / unit[k]);
        square += all.back() * all.back();
      }
      out[size_t(i)].push_back(square);
    }
    out[size_t(i)].insert(out[size_t(i)].end(), all.begin(), all.end());
  }
  return out;
}

std::vector<MatrixRef<const double>> views(const std::vector<Matrix>& items) {
  std::vector<MatrixRef<const double>> out;
  for (const Matrix& item : items) {
    out.push_back({item.data.data(), item.rows, item.cols, item.cols, 1});
  }
  return out;
}

TEST(a_frame_is_the_mean_and_a_power_of_two_above_all_deviations) {
  Matrix x = random_matrix(9, 3, 1), y = random_matrix(9, 2, 2);
  for (int64_t i = 0; i < 9; ++i) {
    x(i, 1) = 0.1;
    y(i, 0) = 1e150 * (y(i, 0) + 5);
  }
  std::vector<double> shift(5), unit(2), ratio(2);
  begin_frame(views({x, y}), 2, shift.data(), unit.data());
  CHECK(shift[1] == 0.1 && unit[0] == kLeastUnit);
  double mean = 0;
  for (int64_t i = 0; i < 9; ++i) mean += y(i, 0) / 9;
  CHECK_NEAR(shift[3] / mean, 1, 1e-14);
  grow_units(views({x, y}), shift.data(), 2, unit.data(), ratio.data());
  double most = 0;
  for (int64_t i = 0; i < 9; ++i) most = std::max(most, std::abs(y(i, 0) - shift[3]));
  CHECK(unit[1] > most && unit[1] <= 2 * most && std::ilogb(unit[1]) == std::ilogb(most) + 1);
  CHECK(ratio[1] == kLeastUnit / unit[1]);
  std::vector<double> out(18);
  divide_by_units<double>(views({y}), unit.data() + 1, 1, {out.data()});
  CHECK(out[2] == y(1, 0) / unit[1]);
}

// Beside what was there, in units that grow; in tiles.
void sums_are_those_of_the_definition(bool symmetric, int64_t first, int64_t step, int64_t width) {
  const std::vector<Matrix> a{random_matrix(19, 3, 1), random_matrix(19, width, 2)};
  const std::vector<Matrix> b{random_matrix(19, 5, 3)};
  const std::vector<double> shift_a = random_matrix(1, 3 + width, 4).data, unit_a{2, 0.25};
  const std::vector<double> shift_b = random_matrix(1, 5, 5).data, unit_b{4};
  const std::vector<double> ratio_a{0.5, 1}, ratio_b{0.25};
  const auto left = augmented(a, shift_a, unit_a);
  const auto right = symmetric ? left : augmented(b, shift_b, unit_b);
  const auto growth = [](const std::vector<double>& ratio, const std::vector<Matrix>& items) {
    std::vector<double> out{1};
    for (const double r : ratio) out.push_back(r * r);
    for (size_t k = 0; k < items.size(); ++k)
      out.insert(out.end(), size_t(items[k].cols), ratio[k]);
    return out;
  };
  const auto by_rows = growth(ratio_a, a), by_columns = symmetric ? by_rows : growth(ratio_b, b);
  const size_t m = left[0].size(), n = right[0].size();
  const GrownFrame frame_a{shift_a.data(), unit_a.data(), ratio_a.data()};
  const GrownFrame frame_b{shift_b.data(), unit_b.data(), ratio_b.data()};
  for (const int threads : {1, 3}) {
    std::vector<double> total(m * n, 0.5);
    add_moments(views(a), symmetric ? std::vector<MatrixRef<const double>>{} : views(b), first,
                step, frame_a, frame_b, threads, total.data());
    for (size_t k = 0; k < total.size(); ++k) {
      double expected = 0.5 * by_rows[k / n] * by_columns[k % n];
      for (size_t i = size_t(first); i < 19; i += size_t(step)) {
        expected += left[i][k / n] * right[i][k % n];
      }
      CHECK_NEAR(total[k], expected, 1e-11 * (1 + std::abs(expected)));
    }
  }
}

TEST(sums_of_products) {
  sums_are_those_of_the_definition(true, 0, 1, 7);
  sums_are_those_of_the_definition(true, 2, 3, 600);
  sums_are_those_of_the_definition(false, 1, 2, 600);
  sums_are_those_of_the_definition(false, 19, 4, 7);
}

}  // namespace

#include <cmath>
#include <vector>

#include "check.h"
#include "information/information.h"

namespace {

using namespace likewise;

std::vector<uint8_t> codes(int64_t units, int64_t samples, int64_t bins, uint32_t state) {
  std::vector<uint8_t> out(size_t(units * samples));
  for (uint8_t& code : out) {
    state = state * 1664525u + 1013904223u;
    code = uint8_t((state >> 16) % uint32_t(bins));
  }
  return out;
}

TEST(streamed_counts_give_the_same_information) {
  const int64_t n = 101, bins = 7;
  const std::vector<uint8_t> x = codes(5, n, bins, 1), y = codes(3, n, bins, 2);
  for (const bool correct : {false, true}) {
    std::vector<double> direct(15), streamed(15);
    mutual_information({x.data(), 5}, {y.data(), 3}, n, bins, correct, 2, direct.data());
    std::vector<int64_t> counts(15 * 49, 0);
    for (const auto& [first, last] : {std::pair<int64_t, int64_t>{0, 40}, {40, n}}) {
      std::vector<uint8_t> part_x, part_y;
      for (int64_t u = 0; u < 5; ++u) {
        part_x.insert(part_x.end(), &x[size_t(u * n + first)], &x[size_t(u * n)] + last);
      }
      for (int64_t u = 0; u < 3; ++u) {
        part_y.insert(part_y.end(), &y[size_t(u * n + first)], &y[size_t(u * n)] + last);
      }
      add_joint_counts({part_x.data(), 5}, {part_y.data(), 3}, last - first, bins, 2,
                       counts.data());
    }
    information_of_counts(counts.data(), 15, bins, correct, 2, streamed.data());
    for (size_t k = 0; k < 15; ++k) CHECK_NEAR(direct[k], streamed[k], 1e-13);
  }
}

TEST(a_unit_knows_its_own_entropy) {
  const std::vector<uint8_t> x{0, 1, 2, 3, 0, 1, 2, 3};
  double out = 0;
  mutual_information({x.data(), 1}, {x.data(), 1}, 8, 4, false, 1, &out);
  CHECK_NEAR(out, std::log(4.0), 1e-14);
}

}  // namespace

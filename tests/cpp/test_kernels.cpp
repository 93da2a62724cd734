#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "kernels/cpu/kernel_functions.h"
#include "kernels/kernels.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

constexpr int64_t kRows = 140;  // more than one tile of the Gram matrices, the last one ragged

std::vector<Matrix> samples(const std::vector<int64_t>& widths, uint64_t seed) {
  const Matrix shared = random_matrix(kRows, 1, 99);
  std::vector<Matrix> list;
  for (const int64_t width : widths) {
    list.push_back(random_matrix(kRows, width, seed++));
    for (int64_t i = 0; i < kRows; ++i) list.back()(i, 0) = 2 * shared(i, 0) + 5;
  }
  return list;
}

// Gradients come with the score, which takes another way; so do orders of the samples.
template <class T>
void scores_agree(const KernelOptions& options) {
  static const std::vector<Matrix> a = samples({3, 40, 7, 1, 260}, 1), b = samples({6, 17, 41}, 50);
  const double tolerance = sizeof(T) == 8 ? 1e-10 : 1e-5;
  const Ways<T, KernelOptions> ways{&kernel_scores, &kernel_pairs, 2, tolerance};
  const Items<T> left(a), right(b);
  const std::vector<double> crossed = ways.agree(left, right, options);
  const std::vector<int32_t> orders = two_orders(kRows);
  for (const auto& [i, j] : {std::pair<size_t, size_t>{0, 0}, {1, 2}}) {  // by features, by kernels
    const double expected = crossed[i * b.size() + j];
    std::vector<T> by_x(a[i].data.size()), by_y(b[j].data.size());
    double score = NAN, scores[2], moved = NAN;
    kernel_gradients(left.arrays[i], right.arrays[j], options, 2, &score, Counted(2, 2),
                     by_x.data(), i == 0 ? by_y.data() : nullptr);
    CHECK_NEAR(score, expected, tolerance);
    CHECK(std::isfinite(by_x[0]) && by_x[0] != 0 && std::isfinite(by_y[0]));
    CHECK(kernel_reordered(left.arrays[i], right.arrays[j], orders.data(), 2, options, 2, scores));
    CHECK_NEAR(scores[0], expected, tolerance);
    const Items<T> mixed({reordered(b[j], &orders[kRows])});
    kernel_pairs(left.arrays[i], mixed.arrays[0], options, 1, &moved, Counted(2, 2));
    CHECK_NEAR(scores[1], moved, tolerance);
  }
}

TEST_BOTH(all_ways_to_a_score_agree) {
  for (const auto function :
       {KernelFunction::linear, KernelFunction::rbf, KernelFunction::polynomial}) {
    for (const HsicEstimator estimator : {HsicEstimator::biased, HsicEstimator::unbiased}) {
      scores_agree<T>({function, estimator});
      scores_agree<T>({function, estimator, false, 0.8, false, 2, 0.5, 0.1});
    }
  }
}

// |X'Y|^2 / (|X'X| |Y'Y|) of centred samples.
TEST(linear_cka_is_that_of_its_definition) {
  const std::vector<Matrix> list = samples({5, 200}, 7);
  Matrix centred[2] = {list[0], list[1]};
  for (Matrix& x : centred) {
    const Matrix mean = product(Matrix(1, kRows, 1.0 / kRows), x);
    for (size_t k = 0; k < x.data.size(); ++k) x.data[k] -= mean.data[k % mean.data.size()];
  }
  const auto square = [&](int i, int j) {
    double sum = 0;
    for (const double v : product(transposed(centred[i]), centred[j]).data) sum += v * v;
    return sum;
  };
  const Items<double> items(list);
  double score = NAN;
  kernel_pairs(items.arrays[0], items.arrays[1], {}, 1, &score, Counted(2, 2));
  CHECK_NEAR(score, square(0, 1) / std::sqrt(square(0, 0) * square(1, 1)), 1e-12);
}

TEST(a_constant_representation_has_no_score) {
  const Items<double> items({random_matrix(kRows, 4, 1), Matrix(kRows, 4, 0.1)});
  double score;
  const Counted same(2, 2), constant(2, 2);
  kernel_pairs(items.arrays[0], items.arrays[0], {}, 2, &score, same);
  CHECK_NEAR(score, 1, 1e-12);
  CHECK(!same.any());
  kernel_pairs(items.arrays[0], items.arrays[1], {}, 2, &score, constant);
  CHECK(std::isnan(score));
  CHECK((constant.counts == std::vector<int64_t>{0, 4, kKernelOk, kKernelConstant}));
}

// exp(x) for x <= 0, of samples at the squared distance -x.
TEST_BOTH(exponentials_of_the_rbf_kernel) {
  std::vector<T> products{T(0), T(NAN)}, values(20002), sums(values.size()), norms(values.size());
  for (int k = 0; k < 20000; ++k) {
    products.push_back(T(-std::pow(10.0, -10 + 12.9 * k / 19999)) / 2);
  }
  kernel_functions<T>().rbf(products.data(), int64_t(values.size()), 0, norms.data(), {1, -1},
                            values.data(), sums.data());
  CHECK(std::isnan(values[1]));
  for (size_t k = 0; k < values.size(); ++k) {
    if (k == 1) continue;
    const long double exact = std::exp(2 * static_cast<long double>(products[k]));
    const T rounded = T(exact), least = std::numeric_limits<T>::min();
    if (exact < least / 2) CHECK(values[k] == 0);
    if (exact <= least) continue;
    const T unit = std::nextafter(rounded, T(2)) - rounded;
    CHECK(std::abs(static_cast<long double>(values[k]) - exact) <= unit);
  }
}

}  // namespace

#include "moments/cuda/moments.h"

#include "driver.h"
#include "moments/cuda/moments_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSamples = 19;

// Augmented samples [1, |x_1|^2, ..., x_1, ...] of these items.
template <class T>
std::vector<std::vector<double>> augmented(const std::vector<std::vector<T>>& items) {
  std::vector<std::vector<double>> out(kSamples, {1.0});
  for (int i = 0; i < kSamples; ++i) {
    for (const auto& item : items) {
      const size_t cols = item.size() / kSamples;
      double squares = 0;
      for (size_t j = 0; j < cols; ++j) squares += std::pow(double(item[i * cols + j]), 2);
      out[i].push_back(squares);
    }
    for (const auto& item : items) {
      const size_t cols = item.size() / kSamples;
      out[i].insert(out[i].end(), item.begin() + i * cols, item.begin() + (i + 1) * cols);
    }
  }
  return out;
}

// Sums over every third sample, or over all, beside what was there.
template <class T>
void sums(bool symmetric, const StridedRows& rows) {
  const std::vector<std::vector<T>> a{normal<T>(kSamples * 3), normal<T>(kSamples * 33)};
  const std::vector<std::vector<T>> b{normal<T>(kSamples * 5)};
  std::vector<std::unique_ptr<OnDevice<T>>> arrays;
  const auto there = [&](const std::vector<std::vector<T>>& items) {
    std::vector<Matrix<T>> out;
    for (const auto& item : items) {
      arrays.push_back(std::make_unique<OnDevice<T>>(item));
      out.push_back({arrays.back()->get(), int64_t(item.size()) / kSamples});
    }
    return out;
  };
  const auto left = augmented(a), right = augmented(symmetric ? a : b);
  const size_t height = left[0].size(), width = right[0].size();
  const OnDevice<double> total(std::vector<double>(height * width, 0.5));
  Call call;
  add_moments<T>(call.context(), there(a), symmetric ? std::vector<Matrix<T>>{} : there(b), rows,
                 total.get());
  const auto found = total.values();
  for (size_t k = 0; k < found.size(); ++k) {
    double sum = 0.5;
    for (int64_t i = rows.first; i < kSamples; i += rows.step) {
      sum += left[i][k / width] * right[i][k % width];
    }
    expect(std::abs(found[k] - sum) <= 1e-10 * (1 + std::abs(sum)), "moment");
  }
}

void moments() {
  sums<float>(true, {kSamples, 0, 1});
  sums<double>(false, {kSamples, 2, 3});
  sums<double>(true, {kSamples, kSamples, 4});
  expect(StridedRows{kSamples, 1, 3}.count() == 6 && StridedRows{kSamples, 2, 3}.count() == 6,
         "number of samples");
  // What is not a number stays with its sample.
  std::vector<double> host = normal<double>(3 * 4);
  host[6] = std::nan("");
  const OnDevice<double> x(host), out(3 * 6);
  need(augment<double>(x.get(), 4, {3, 0, 1}, 3, 0, 2, 6, out.get(), stream), "augment");
  const auto found = out.values();
  for (int k = 0; k < 18; ++k) {
    expect(std::isnan(found[k]) == (k == 7 || k == 10), "moments of NaN");
  }
}

const Topic topic("moments", moments);

}  // namespace
}  // namespace likewise::cuda::driver

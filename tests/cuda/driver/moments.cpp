#include "moments/cuda/moments.h"

#include "driver.h"
#include "moments/cuda/moments_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSamples = 19;

// A frame of items side by side, and what its units were.
struct Place {
  std::vector<double> shift, unit, ratio;
  OnDevice<double> shift_there, unit_there, ratio_there;

  Place(size_t cols, size_t items)
      : shift(normal<double>(cols)),
        unit(units(items, 2.0)),
        ratio(units(items, 0.5)),
        shift_there(shift),
        unit_there(unit),
        ratio_there(ratio) {}
  static std::vector<double> units(size_t items, double base) {
    std::vector<double> out;
    for (size_t k = 0; k < items; ++k) out.push_back(std::pow(base, double(k)));
    return out;
  }
  GrownFrame grown() const { return {{shift_there.get(), unit_there.get()}, ratio_there.get()}; }
};

// Augmented samples [1, |u_1|^2, ..., u_1, ...] of these items.
template <class T>
std::vector<std::vector<double>> augmented(const std::vector<std::vector<T>>& items,
                                           const Place& place) {
  std::vector<std::vector<double>> out(kSamples, {1.0});
  for (int i = 0; i < kSamples; ++i) {
    std::vector<double> all;
    for (size_t k = 0; k < items.size(); ++k) {
      const size_t cols = items[k].size() / kSamples;
      double squares = 0;
      for (size_t j = 0; j < cols; ++j) {
        all.push_back((double(items[k][i * cols + j]) - place.shift[all.size()]) / place.unit[k]);
        squares += all.back() * all.back();
      }
      out[i].push_back(squares);
    }
    out[i].insert(out[i].end(), all.begin(), all.end());
  }
  return out;
}

// What sums of augmented samples are multiplied with when their units grow.
std::vector<double> shrinkage(const std::vector<size_t>& cols, const Place& place) {
  std::vector<double> out{1.0};
  for (const double ratio : place.ratio) out.push_back(ratio * ratio);
  for (size_t k = 0; k < cols.size(); ++k) out.insert(out.end(), cols[k], place.ratio[k]);
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
  const Place at_a(36, 2), at_b(5, 1);
  const auto left = augmented(a, at_a), right = symmetric ? left : augmented(b, at_b);
  const auto rows_shrink = shrinkage({3, 33}, at_a);
  const auto columns_shrink = symmetric ? rows_shrink : shrinkage({5}, at_b);
  const size_t height = left[0].size(), width = right[0].size();
  const OnDevice<double> total(std::vector<double>(height * width, 0.5));
  Call call;
  add_moments<T>(call.context(), there(a), symmetric ? std::vector<Matrix<T>>{} : there(b), rows,
                 at_a.grown(), symmetric ? at_a.grown() : at_b.grown(), total.get());
  const auto found = total.values();
  for (size_t k = 0; k < found.size(); ++k) {
    double sum = 0.5 * rows_shrink[k / width] * columns_shrink[k % width];
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
  const Place at(4, 1);
  need(augment<double>(x.get(), 4, {3, 0, 1}, 3, at.grown().frame, 0, 2, 6, out.get(), stream),
       "augment");
  const auto found = out.values();
  for (int k = 0; k < 18; ++k) {
    expect(std::isnan(found[k]) == (k == 7 || k == 10), "moments of NaN");
  }
}

const Topic topic("moments", moments);

}  // namespace
}  // namespace likewise::cuda::driver

#include "linalg/cuda/polar.h"

#include "driver.h"
#include "linalg/cuda/polar_kernels.h"

namespace likewise::cuda::driver {
namespace {

// Helpers of the polar iteration, one by one, and the nuclear norms of rotations and of products.
template <class T>
void polar_kernels() {
  constexpr int kCount = 3, kSide = 19, kSize = kSide * kSide;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  std::vector<T> host = normal<T>(kCount * kSize);
  std::fill_n(host.begin() + kSize, kSize, T(0));
  const OnDevice<T> x(host), scaled(host.size()), z(host);
  const OnDevice<double> norms(kCount), products(kCount);
  need(divide_by_norm<T>(x.get(), kCount, kSize, scaled.get(), norms.get(), stream), "norm");
  need(add_polynomial<T>(z.get(), x.get(), kCount, kSide, T(2), T(3), stream), "polynomial");
  need(inner_products<T>(scaled.get(), z.get(), norms.get(), kCount, kSize, products.get(), stream),
       "products");
  const auto unit = scaled.values(), sums = z.values();
  const auto lengths = norms.values(), found = products.values();
  for (int q = 0; q < kCount; ++q) {
    double squares = 0, product = 0;
    for (int k = 0; k < kSize; ++k) squares += std::pow(double(host[q * kSize + k]), 2);
    const double norm = std::sqrt(squares);
    expect(std::abs(lengths[q] - norm) <= tolerance * (1 + norm), "norm");
    for (int k = 0; k < kSize; ++k) {
      const double value = double(host[q * kSize + k]);
      const double sum = 4 * value + (k / kSide == k % kSide ? 2 : 0);
      expect(std::abs(double(unit[q * kSize + k]) - (q == 1 ? 0 : value / norm)) <= tolerance,
             "element of unit norm");
      expect(std::abs(double(sums[q * kSize + k]) - sum) <= tolerance * 20, "polynomial");
      product += value * sum;
    }
    expect(std::abs(found[q] - product) <= tolerance * (1 + std::abs(product)), "inner product");
  }
  for (const double odd : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    host[kSize + 300] = T(odd);
    const OnDevice<T> bad(host);
    need(divide_by_norm<T>(bad.get(), kCount, kSize, scaled.get(), norms.get(), stream), "norm");
    const auto after = norms.values();
    expect(std::isfinite(after[0]) && std::isnan(after[1]), "norm of what is not finite");
    expect(std::isnan(scaled.values()[kSize]), "element beside one that is not finite");
  }
}

template <class T>
void nuclear_norms_of_known_matrices() {
  Call call;
  const Context context = call.context();
  constexpr int kRows = 40, kCols = 9, kCount = 2;
  std::vector<T> host(kCount * kRows * kCols, T(0));
  for (int j = 0; j < kCols; ++j) host[j * kCols + (j + 4) % kCols] = T(j + 1);  // singular values
  host[kRows * kCols + 7] = T(-3);
  for (const bool wide : {false, true}) {
    std::vector<T> given = host;
    for (int q = 0; q < kCount && wide; ++q) {
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kCols; ++j) {
          given[q * kRows * kCols + j * kRows + i] = host[q * kRows * kCols + i * kCols + j];
        }
      }
    }
    const OnDevice<T> a(given);
    const OnDevice<double> norms(kCount);
    nuclear_norms<T>(context, a.get(), kCount, wide ? kCols : kRows, wide ? kRows : kCols,
                     norms.get());
    const auto found = norms.values();
    expect(std::abs(found[0] - 45) < 1e-4 && std::abs(found[1] - 3) < 1e-5, "nuclear norm");
  }
}

// What judges polar factors: flags, what they replace, symmetric parts.
template <class T>
void flags() {
  constexpr int kCount = 3, kSide = 19, kSize = kSide * kSide;
  std::vector<T> host(kCount * kSize, T(0));
  for (int k = 0; k < kCount * kSide; ++k) host[k * kSide + k % kSide] = 1;
  host[kSize + 40] = T(1e-3);
  host[2 * kSize + 40] = T(std::nan(""));
  const OnDevice<T> grams(host), other(normal<T>(host.size()));
  const OnDevice<int> found(kCount);
  need(flag_other_than_unit<T>(grams.get(), kCount, kSide, found.get(), stream), "flags");
  expect(found.values() == std::vector<int>{0, 1, 1}, "flags");
  need(replace_flagged<T>(other.get(), found.get(), kCount, kSize, grams.get(), stream), "replace");
  need(symmetrise<T>(grams.get(), kCount, kSide, stream), "symmetric part");
  const auto from = other.values(), to = grams.values();
  for (int k = 0; k < kCount * kSize; ++k) {
    const int item = k / kSize, i = k % kSize / kSide, j = k % kSide;
    const T mean = (from[k] + from[item * kSize + j * kSide + i]) / 2;
    expect(to[k] == (item == 0 ? host[k] : mean), "what was flagged, symmetric");
  }
}

void polars() {
  flags<float>();
  flags<double>();
  polar_kernels<float>();
  polar_kernels<double>();
  nuclear_norms_of_known_matrices<float>();
  nuclear_norms_of_known_matrices<double>();
}

const Topic topic("polar", polars);

}  // namespace
}  // namespace likewise::cuda::driver

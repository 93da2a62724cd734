#include "dense.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/eigen_kernels.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/polar_kernels.h"
#include "linalg/cuda/products.h"
#include "linalg/cuda/unit_scale.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSide = 19, kSize = kSide * kSide;

void unusable_matrices() {
  constexpr int kCount = 4;
  const Numbers host = normal<double>(kCount * kSize);
  Numbers broken = host, cleared = host;
  broken[2 * kSize - 1] = -INFINITY;
  broken[2 * kSize + 300] = NAN;
  std::fill_n(cleared.begin() + kSize, 2 * kSize, 0.0);
  const OnDevice<double> matrices(broken);
  const OnDevice<int> unusable(kCount), findings(std::vector<int>{0, 0, 7, 5});
  clear_unusable(matrices.get(), kCount, kSide, unusable.get(), stream);
  agree(matrices.values(), cleared, 0, "cleared matrices");
  agree(unusable.values(), std::vector<int>{0, 1, 1, 0}, 0, "which are unusable");
  Numbers values(kCount * kSide, NAN);
  std::fill_n(values.begin(), kSide, 1.0);
  for (const bool identity : {false, true}) {
    Numbers replaced = host;
    for (int k = kSize; k < kCount * kSize; ++k) {
      replaced[size_t(k)] = identity ? k % kSize / kSide == k % kSide : NAN;
    }
    for (const bool with_vectors : {true, false}) {
      const OnDevice<double> vectors(host), numbers(Numbers(kCount * kSide, 1));
      const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
      replace_unsolved(
          {unusable.get(), findings.get(), numbers.get(), with_vectors ? vectors.get() : nullptr,
           kCount, kSide, 40, identity, failure.get()},
          stream);
      expect(failure.values()[0] == (identity ? ~0ull : 41), "the first that failed");
      agree(numbers.values(), values, 0, "eigenvalues");
      agree(vectors.values(), with_vectors ? replaced : host, 0, "eigenvectors");
    }
  }
}

template <class T>
void roots() {
  Numbers squares, wanted;
  for (int q = 1; q <= 20; ++q) {
    for (int k = 0; k < kSide; ++k) {
      squares.push_back(k == 0 ? -1e-9 : k * q);
      wanted.push_back(T(std::sqrt(double((kSide - 1 - k) * q))));
    }
  }
  squares[25] = wanted[size_t(2 * kSide - 1 - 6)] = NAN;
  const OnDevice<double> values(squares);
  const OnDevice<T> found(squares.size());
  descending<T>(values.get(), 20, kSide, true, found.get(), stream);
  agree(found.values(), wanted, 0, "roots");
}

// A diagonal and twice a unit matrix of rotated coordinates, with what has no decomposition.
void decompositions() {
  constexpr int kCount = 3, kWide = 70, kWhole = kWide * kWide;
  Numbers host(kCount * kWhole), wanted(kCount * kWide, NAN), opposite(kWhole);
  for (int k = 0; k < kWide; ++k) {
    const int other = kWide - 1 - k;
    host[size_t(k * kWide + k)] = kWide - k;
    host[size_t(kWhole + k * kWide + k)] = 2;
    host[size_t(kWhole + k * kWide + other)] += 1;  // eigenvalues 1 and 3
    wanted[size_t(k)] = k + 1;
    wanted[size_t(kWide + k)] = k < kWide / 2 ? 1 : 3;
    opposite[size_t(k * kWide + other)] = 1;
  }
  host[2 * kWhole + 5] = host[2 * kWhole + 5 * kWide] = NAN;
  const OnDevice<unsigned long long> status(std::vector<unsigned long long>{~0ull, ~0ull, ~0ull});
  Call call;
  Context context = call.context();
  context.status = reinterpret_cast<CallStatus*>(status.get());
  expect(has_eigen(kWide) && !has_eigen(64) && !has_eigen(46341), "cuSOLVER");
  for (const bool vectors : {true, false}) {
    const OnDevice<double> matrices(host), values(kCount * kWide);
    symmetric_eigen(context, matrices.get(), kCount, kWide, values.get(), vectors,
                    WithoutEigen::nan, 10);
    expect(status.values()[1] == 12, "the one that failed");
    agree(values.values(), wanted, 1e-13, "eigenvalues");
    Numbers first = item_of(matrices.values(), 0, kWhole);
    for (double& value : first) value = std::abs(value);
    if (vectors) agree(first, opposite, 1e-12, "eigenvectors");
  }
}

// Helpers of the polar iteration, one by one.
template <class T>
void polar_kernels() {
  constexpr int kCount = 3;
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-14;
  std::vector<T> host = normal<T>(kCount * kSize);
  std::fill_n(host.begin() + kSize, kSize, T(0));
  Numbers lengths, inner, unit, polynomial;
  for (int k = 0; k < kCount * kSize; ++k) {
    const double value = double(host[size_t(k)]);
    const Numbers item = item_of(host, k / kSize, kSize);
    const double norm = std::sqrt(std::inner_product(item.begin(), item.end(), item.begin(), 0.0));
    unit.push_back(norm == 0 ? 0 : value / norm);
    polynomial.push_back(4 * value + (k % kSize / kSide == k % kSide ? 2 : 0));
    if (k % kSize == 0) lengths.push_back(norm), inner.push_back(0);
    inner.back() += value * polynomial.back();
  }
  const OnDevice<T> x(host), scaled(host.size()), z(host);
  const OnDevice<double> norms(kCount), products(kCount);
  divide_by_norm<T>(x.get(), kCount, kSize, scaled.get(), norms.get(), stream);
  add_polynomial<T>(z.get(), x.get(), kCount, kSide, T(2), T(3), stream);
  inner_products<T>(scaled.get(), z.get(), norms.get(), kCount, kSize, products.get(), stream);
  agree(norms.values(), lengths, tolerance, "norms");
  agree(scaled.values(), unit, tolerance, "elements of unit norm");
  agree(z.values(), polynomial, tolerance, "polynomial");
  agree(products.values(), inner, tolerance, "inner products");
  for (const double odd : {double(NAN), double(INFINITY)}) {
    host[kSize + 300] = T(odd);
    const OnDevice<T> bad(host);
    divide_by_norm<T>(bad.get(), kCount, kSize, scaled.get(), norms.get(), stream);
    expect(std::isfinite(norms.values()[0]) && std::isnan(norms.values()[1]), "norm of NaN");
    expect(std::isnan(scaled.values()[kSize]), "element beside one that is not finite");
  }
}

// What judges polar factors: flags, what they replace, symmetric parts.
template <class T>
void flags() {
  constexpr int kCount = 3;
  std::vector<T> host(kCount * kSize, T(0));
  for (int k = 0; k < kCount * kSide; ++k) host[size_t(k * kSide + k % kSide)] = 1;
  host[kSize + 40] = T(1e-3);
  host[2 * kSize + 40] = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> other = normal<T>(host.size());
  const OnDevice<T> grams(host), from(other);
  const OnDevice<int> found(kCount);
  flag_other_than_unit<T>(grams.get(), kCount, kSide, found.get(), stream);
  agree(found.values(), std::vector<int>{0, 1, 1}, 0, "flags");
  replace_flagged<T>(from.get(), found.get(), kCount, kSize, grams.get(), stream);
  symmetrise<T>(grams.get(), kCount, kSide, stream);
  const auto turned = transposed(other, kCount, kSide, kSide);
  for (size_t k = kSize; k < host.size(); ++k) host[k] = (other[k] + turned[k]) / 2;
  agree(grams.values(), host, 0, "what was flagged, symmetric");
}

template <class T>
void nuclear_norms_of(int rows, int cols) {
  const std::vector<T> host = normal<T>(size_t(3 * rows * cols));
  const OnDevice<T> a(host);
  const OnDevice<double> norms(3);
  Call call;
  nuclear_norms<T>(call.context(), a.get(), 3, rows, cols, norms.get());
  Numbers wanted;
  for (int q = 0; q < 3; ++q) {
    const Numbers values = values_of(item_of(host, q, rows * cols), rows, cols);
    wanted.push_back(std::accumulate(values.begin(), values.end(), 0.0));
  }
  agree(norms.values(), wanted, sizeof(T) == 4 ? 1e-6 : 1e-12, "nuclear norms");
}

template <class T>
void polars() {
  flags<T>();
  polar_kernels<T>();
  nuclear_norms_of<T>(40, 9);
  nuclear_norms_of<T>(9, 40);
}

// Sums of parts, and products of rows of more entries than one part has.
template <class T>
void products() {
  constexpr int kParts = 3, kLong = 700, kLength = 2 * 4096 + 5;
  const std::vector<T> host = normal<T>(kParts * kLong);
  Numbers sums(kLong, 1.0);
  for (size_t k = 0; k < host.size(); ++k) sums[k % kLong] += double(host[k]);
  const OnDevice<T> terms(host);
  const OnDevice<double> total(Numbers(kLong, 1.0)), pairs(Numbers(6, 1.0));
  add_products<T>(terms.get(), kParts, kLong, total.get(), stream);
  agree(total.values(), sums, 1e-14, "sums of parts");
  const std::vector<T> x = normal<T>(2 * kLength), y = normal<T>(3 * kLength);
  const OnDevice<T> a(x), b(y), parts(size_t(product_parts<T>(2, 3, kLength)));
  Call call;
  add_all_products<T>(call.context(), a.get(), 2, b.get(), 3, kLength, parts.get(), pairs.get());
  Numbers wanted =
      product(Op::none, {x.begin(), x.end()}, Op::transpose, {y.begin(), y.end()}, 2, 3);
  for (double& value : wanted) value += 1;
  agree(pairs.values(), wanted, sizeof(T) == 4 ? 1e-5 : 1e-12, "products of long rows");
}

// There and back, of large and small matrices, of zeros and of one that is not finite.
template <class T>
void units() {
  constexpr int kCount = 4, kLong = 700;
  const int extreme = sizeof(T) == 4 ? 120 : 1000;
  std::vector<T> host = normal<T>(kCount * kLong);
  for (int k = 0; k < kLong; ++k) {
    host[k] = T(std::ldexp(double(host[k]), extreme));
    host[kLong + k] = T(std::ldexp(double(host[kLong + k]), -extreme));
    host[2 * kLong + k] = 0;
  }
  host[3 * kLong + 5] = std::numeric_limits<T>::quiet_NaN();
  const OnDevice<T> x(host), scaled(host.size());
  const OnDevice<int> exponents(kCount), more(std::vector<int>{0, 3, 0, 0});
  to_unit_scale<T>(x.get(), kCount, kLong, scaled.get(), exponents.get(), stream);
  std::vector<T> wanted = host;
  std::vector<int> powers;
  for (int q = 0; q < kCount; ++q) {
    const Numbers item = item_of(host, q, kLong);
    double largest = 0;
    for (const double value : item) largest = std::max(largest, std::abs(value));
    powers.push_back(q < 2 ? std::ilogb(largest) : 0);
    for (int k = 0; k < kLong; ++k) {
      wanted[size_t(q * kLong + k)] = T(std::ldexp(item[size_t(k)], -powers.back()));
    }
  }
  agree(scaled.values(), wanted, 0, "scaled elements");
  agree(exponents.values(), powers, 0, "exponents");
  from_unit_scale<T>(scaled.get(), kCount, kLong, exponents.get(), more.get(), stream);
  for (int k = kLong; k < 2 * kLong; ++k) host[k] *= 8;
  agree(scaled.values(), host, 0, "elements");
}

const Topic eigen_topic("eigen", [] {
  unusable_matrices();
  roots<float>();
  roots<double>();
  decompositions();
});
const Topic polar_topic("polar", [] {
  polars<float>();
  polars<double>();
});
const Topic products_topic("products", [] {
  products<float>();
  products<double>();
});
const Topic unit_scale_topic("unit_scale", [] {
  units<float>();
  units<double>();
});

}  // namespace
}  // namespace likewise::cuda::driver

#include "linalg/cuda/products.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
void sums_of_parts() {
  constexpr int kParts = 3, kSize = 700;
  const std::vector<T> host = normal<T>(kParts * kSize);
  const OnDevice<T> parts(host);
  const OnDevice<double> total(std::vector<double>(kSize, 1.0));
  need(add_products<T>(parts.get(), kParts, kSize, total.get(), stream), "add");
  for (int k = 0; k < kSize; ++k) {
    const double sum =
        1.0 + double(host[k]) + double(host[kSize + k]) + double(host[2 * kSize + k]);
    expect(std::abs(total.values()[k] - sum) <= 1e-12, "sum of parts");
    if (k == 40) k = kSize - 40;
  }
}

// Rows of more entries than one part has.
template <class T>
void long_products() {
  constexpr int kLength = 2 * 4096 + 5, kLeft = 2, kRight = 3;
  const std::vector<T> x = normal<T>(kLeft * kLength), y = normal<T>(kRight * kLength);
  const OnDevice<T> a(x), b(y), parts(size_t(product_parts<T>(kLeft, kRight, kLength)));
  const OnDevice<double> total(std::vector<double>(kLeft * kRight, 1.0));
  Call call;
  add_all_products<T>(call.context(), a.get(), kLeft, b.get(), kRight, kLength, parts.get(),
                      total.get());
  const auto found = total.values();
  for (int k = 0; k < kLeft * kRight; ++k) {
    double sum = 1;
    for (int t = 0; t < kLength; ++t) {
      sum += double(x[k / kRight * kLength + t]) * double(y[k % kRight * kLength + t]);
    }
    expect(std::abs(found[k] - sum) <= (sizeof(T) == 4 ? 1e-3 : 1e-10), "product of long rows");
  }
}

void products() {
  sums_of_parts<float>();
  sums_of_parts<double>();
  long_products<float>();
  long_products<double>();
}

const Topic topic("products", products);

}  // namespace
}  // namespace likewise::cuda::driver

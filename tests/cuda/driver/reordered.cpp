#include "linalg/cuda/reordered.h"

#include <random>

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Small whole numbers: sums are exact in every order.
template <class T>
std::vector<T> symmetric(int n) {
  std::uniform_int_distribution<int> whole(-9, 9);
  std::vector<T> out(size_t(n) * n);
  for (int i = 0; i < n; ++i) {
    for (int j = i; j < n; ++j) out[i * n + j] = out[j * n + i] = T(whole(generator));
  }
  return out;
}

template <class T>
std::vector<T> upper(const std::vector<T>& square, int n) {
  std::vector<T> out;
  for (int i = 0; i < n; ++i) {
    for (int j = i + 1; j < n; ++j) out.push_back(square[i * n + j]);
  }
  return out;
}

std::vector<int32_t> shuffles(int n, int count) {
  std::vector<int32_t> out(size_t(count) * n);
  for (int k = 0; k < count; ++k) {
    std::iota(out.begin() + k * n, out.begin() + (k + 1) * n, 0);
    if (k > 0) std::shuffle(out.begin() + k * n, out.begin() + (k + 1) * n, generator);
  }
  return out;
}

template <class T>
void squares(int n, int count) {
  const std::vector<T> a = symmetric<T>(n), b = symmetric<T>(n);
  const std::vector<int32_t> orders = shuffles(n, count);
  const OnDevice<T> left(a), right(b);
  const OnDevice<int32_t> there(orders);
  const OnDevice<double> work(orders.size()), out{size_t(count)};
  need(reordered_products<T>(left.get(), right.get(), n, there.get(), count, work.get(), out.get(),
                             stream),
       "products");
  const std::vector<double> found = out.values();
  for (int k = 0; k < count; ++k) {
    const int32_t* const o = orders.data() + k * n;
    double sum = 0;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) sum += double(a[i * n + j]) * double(b[o[i] * n + o[j]]);
    }
    expect(found[k] == sum, "products of all elements");
  }
}

template <class S>
void condensed(int n, int count, bool shifted) {
  const std::vector<S> a = symmetric<S>(n), b = symmetric<S>(n);
  const std::vector<int32_t> orders = shuffles(n, count);
  const OnDevice<S> left(upper(a, n)), right(upper(b, n));
  const OnDevice<int32_t> there(orders);
  const OnDevice<double> shifts(std::vector<double>{2, -3});
  const OnDevice<double> work(orders.size()), out{size_t(count)};
  const double *const shift_a = shifted ? shifts.get() : nullptr, *const shift_b =
                                                                      shifted ? shifts.get() + 1
                                                                              : nullptr;
  need(reordered_products<S>({left.get(), shift_a}, {right.get(), shift_b}, n, there.get(), count,
                             work.get(), out.get(), stream),
       "products");
  const std::vector<double> found = out.values();
  for (int k = 0; k < count; ++k) {
    const int32_t* const o = orders.data() + k * n;
    double sum = 0;
    for (int i = 0; i < n; ++i) {
      for (int j = i + 1; j < n; ++j) {
        const double x = double(a[i * n + j]), y = double(b[o[i] * n + o[j]]);
        sum += shifted ? (x - 2) * (y + 3) : x * y;
      }
    }
    expect(found[k] == sum, "products of elements above the diagonal");
  }
}

const Topic topic("reordered", [] {
  squares<float>(5, 3);
  squares<double>(66, 1);
  condensed<int32_t>(5, 3, false);
  condensed<float>(5, 2, true);
  condensed<double>(66, 1, true);
});

}  // namespace
}  // namespace likewise::cuda::driver

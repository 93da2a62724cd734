#include "arrays/cuda/draws.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Rounded, so that there are ties; every tenth is no number.
template <class T>
std::vector<T> some_draws(int count) {
  std::vector<T> out = normal<T>(size_t(count));
  for (T& value : out) value = std::round(8 * value) / 8;
  for (int k = 4; k < count; k += 10) out[k] = std::numeric_limits<T>::quiet_NaN();
  return out;
}

template <class T>
void p_values(int count) {
  const std::vector<T> host = some_draws<T>(count);
  const OnDevice<T> null(host);
  const OnDevice<double> p(1);
  const OnDevice<T> own(std::vector<T>{-100, 9});  // the root of their product is the largest score
  for (int way = 0; way < 8; ++way) {              // draws are multiples of 1/8
    const double infinite = std::numeric_limits<double>::infinity();
    const Comparison how{(way & 1) != 0, (way & 2) != 0, way & 4 ? 1e-6 : 0.2,
                         way & 4 ? infinite : 1.0};
    const double tie = way & 4 ? 3e-5 : how.error, score = double(host[0]) + (way & 4 ? 2e-5 : 0.0);
    int extreme = how.exact ? 0 : 1;
    for (const T value : host) {
      extreme += how.larger ? double(value) >= score - tie : double(value) <= score + tie;
    }
    const OnDevice<T> given(std::vector<T>{T(score)});
    need(p_value<T>(given.get(), null.get(), count, own.get(), own.get() + 1, how, p.get(), stream),
         "p-value");
    expect(p.values()[0] == double(extreme) / (how.exact ? count : count + 1), "p-value");
  }
  const OnDevice<T> none(std::vector<T>{std::numeric_limits<T>::quiet_NaN()});
  need(p_value<T>(none.get(), null.get(), count, nullptr, nullptr, {true, false, 0, 1}, p.get(),
                  stream),
       "p-value");
  expect(std::isnan(p.values()[0]), "p-value of no number");
}

double variance(const std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / double(values.size() - 1);
}

template <class T>
void intervals(const std::vector<T>& host, int64_t parts, T score, Scaled scaled) {
  const OnDevice<T> draws(host), given(std::vector<T>{score});
  const OnDevice<double> out(3);
  double* const to = out.get();
  const Subsets how{parts, 3, 1.25, 2, scaled, -0.9, 0.95, 1e-4};
  need(interval<T>(given.get(), draws.get(), int64_t(host.size()), how, {to, to + 1, to + 2},
                   stream),
       "interval");
  const std::vector<double> found = out.values();
  std::vector<double> kept, means, halves;
  for (int64_t k = 0; k < parts; ++k) {
    if (!std::isnan(host[k])) kept.push_back(double(host[k]));
  }
  for (size_t k = size_t(parts); k + 1 < host.size(); k += 2) {
    const double a = double(host[k]), b = double(host[k + 1]);
    if (std::isnan(a + b)) continue;
    means.push_back((a + b) / 2);
    halves.push_back((a - b) * (a - b) / 4);
  }
  if (kept.size() < 2 || means.size() < 2 || std::isnan(score)) {
    for (const double value : found) expect(std::isnan(value), "interval of too few");
    return;
  }
  const double between = std::accumulate(halves.begin(), halves.end(), 0.0) / double(halves.size());
  const double joint = between > 1.85e-4 * 1.85e-4 ? std::min(variance(means) / between, 0.5) : 0.0;
  const double odds = joint / (1 - joint);
  const double error = std::sqrt(variance(kept) * 3 /
                                 (1 + 1.25 * (scaled == Scaled::cube_root ? odds : odds * odds)));
  double low = double(score) - 2 * error, high = double(score) + 2 * error;
  if (scaled == Scaled::cube_root && score > 0) {
    const double root = std::cbrt(double(score)), reach = 2 * error / (3 * root * root);
    low = std::pow(std::max(root - reach, 0.0), 3);
    high = std::pow(root + reach, 3);
  } else if (scaled == Scaled::arctanh && std::abs(score) < 1) {
    const double centre = double(score), reach = 2 * error / (1 - centre * centre);
    low = std::tanh(std::atanh(centre) - reach);
    high = std::tanh(std::atanh(centre) + reach);
  }
  expect(std::abs(found[0] - error) <= 1e-13 * error, "standard error");
  expect(std::abs(found[1] - std::max(low, -0.9)) <= 1e-13, "low end");
  expect(std::abs(found[2] - std::min(high, 0.95)) <= 1e-13, "high end");
}

template <class T>
void summaries() {
  const T none = std::numeric_limits<T>::quiet_NaN();
  p_values<T>(300);
  p_values<T>(1);
  std::vector<T> some = normal<T>(700);
  for (size_t k = 0; k < some.size(); ++k) some[k] = T(0.3) + some[k] / T(k < 300 ? 50 : 20);
  for (const size_t k : {3, 310, 401}) some[k] = none;
  for (const Scaled scaled : {Scaled::plain, Scaled::arctanh, Scaled::cube_root}) {
    for (const T score : {T(0.3), T(-0.89), T(1), none}) intervals<T>(some, 300, score, scaled);
  }
  intervals<T>({1, 2, 3, 5, 5, 5}, 2, T(0.5), Scaled::plain);  // halves that are all alike
  intervals<T>({1, 2, T(5.0001), 5, 5, T(5.0001), 5, 5}, 2, T(0.5), Scaled::plain);  // but rounding
  intervals<T>({1, 2, 3, 5, none, 5, 7, 3}, 2, T(0.5), Scaled::plain);
  intervals<T>({none, 2, 3, 5, 4, 5}, 2, T(0.5), Scaled::plain);
  intervals<T>({1, 2, 3, 5, none, 5}, 2, T(0.5), Scaled::plain);
}

const Topic topic("draws", [] {
  summaries<float>();
  summaries<double>();
});

}  // namespace
}  // namespace likewise::cuda::driver

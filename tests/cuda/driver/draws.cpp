#include "inference/cuda/draws.h"

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

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * double(sorted.size() - 1);
  const size_t below = size_t(std::floor(at)), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - double(below)) * (sorted[above] - sorted[below]);
}

template <class T>
void spreads(const std::vector<T>& host) {
  const OnDevice<T> draws(host);
  const OnDevice<double> sorted(std::vector<double>(host.size(), 9.0)), out(3);
  double* const to = out.get();
  need(spread<T>(draws.get(), int64_t(host.size()), sorted.get(), {to, to + 1, to + 2}, stream),
       "spread");
  const std::vector<double> found = out.values();
  std::vector<double> kept;
  for (const T value : host) {
    if (!std::isnan(value)) kept.push_back(double(value));
  }
  if (kept.size() < 2) {
    for (const double value : found) expect(std::isnan(value), "spread of too few");
    return;
  }
  std::sort(kept.begin(), kept.end());
  const double mean = std::accumulate(kept.begin(), kept.end(), 0.0) / double(kept.size());
  double squares = 0;
  for (const double value : kept) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / double(kept.size() - 1));
  expect(std::abs(found[0] - error) <= 1e-13 * error, "standard error");
  expect(std::abs(found[1] - quantile(kept, 0.025)) <= 1e-14, "low percentile");
  expect(std::abs(found[2] - quantile(kept, 0.975)) <= 1e-14, "high percentile");
}

template <class T>
void summaries() {
  const T none = std::numeric_limits<T>::quiet_NaN();
  p_values<T>(300);
  p_values<T>(1);
  spreads<T>(some_draws<T>(300));
  spreads<T>({none, 3, none, 5});
  spreads<T>({none, 3});
  spreads<T>({none, none, none});
}

const Topic topic("draws", [] {
  summaries<float>();
  summaries<double>();
});

}  // namespace
}  // namespace likewise::cuda::driver

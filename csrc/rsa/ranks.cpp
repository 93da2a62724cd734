#include "rsa/ranks.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "core/parallel.h"

// Scattered writes to megabytes are what sorting with an index costs. Here the values alone go into
// buckets of a few hundred, in their order; buckets are ranked in the first-level cache; and the
// ranks come back by the same walk over the buckets, each of which is read front to back.

namespace likewise {
namespace {

constexpr int64_t kFew = 4096;          // values whose keys fit the first-level cache
constexpr int64_t kPerBucket = 512;     // values wanted in a bucket
constexpr int64_t kMostBuckets = 2048;  // their cache lines fit the second-level cache
constexpr int kKeyBits = 16;

// Steps from `low` to x, never descending in x. With scale = last / (high - low) the last one is
// `last` or one less: two roundings do not reach the next whole number.
template <class T>
int32_t step_of(T x, T low, double scale) {
  return int32_t((double(x) - double(low)) * scale);
}

template <class T>
struct Range {
  T low, high;
  bool finite;
};

template <class T>
Range<T> range_of(const T* x, int64_t n) {
  constexpr int64_t kLanes = 16;  // independent of each other, so that none waits for the last
  T low[kLanes], high[kLanes], zeros[kLanes] = {};
  std::fill_n(low, kLanes, x[0]);
  std::fill_n(high, kLanes, x[0]);
  const auto see = [&](T value, int64_t k) {
    low[k] = value < low[k] ? value : low[k];
    high[k] = value > high[k] ? value : high[k];
    zeros[k] += value * T(0);  // NaN from the first value on that is not finite
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) see(x[i + k], k);
  }
  for (; i < n; ++i) see(x[i], 0);
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes),
          std::accumulate(zeros, zeros + kLanes, T(0)) == 0};
}

}  // namespace

template <class T>
double Ranker<T>::operator()(const T* x, int64_t n, int32_t* out) {
  total_ = n;
  ties_ = 0;
  if (n == 0 || rank(x, n, 0, 0, out)) return ties_;
  std::fill_n(out, n, 0);
  return std::numeric_limits<double>::quiet_NaN();
}

template <class T>
int32_t Ranker<T>::shared_rank(int64_t begin, int64_t end) {
  const double t = double(end - begin);
  ties_ += t * t * t - t;
  return int32_t(begin + end - total_);
}

template <class T>
bool Ranker<T>::rank(const T* x, int64_t n, int64_t below, int depth, int32_t* out) {
  const auto [low, high, finite] = range_of(x, n);
  if (!finite) return false;
  const double width = double(high) - double(low);
  const bool divides = width > 1e-290 && width < 1e290;
  if (low == high) {
    std::fill_n(out, n, shared_rank(below, below + n));
  } else if (!divides || (n > kFew && depth == kDepth)) {
    rank_by_comparison(x, n, below, out);
  } else if (n <= kFew) {
    rank_few(x, n, below, low, width, out);
  } else {
    distribute(x, n, below, low, width, depth, out);
  }
  return true;
}

template <class T>
void Ranker<T>::distribute(const T* x, int64_t n, int64_t below, T low, double width, int depth,
                           int32_t* out) {
  const int64_t buckets = std::min(int64_t(std::bit_ceil(uint64_t(n / kPerBucket))), kMostBuckets);
  const double scale = double(buckets - 1) / width;
  Level& level = levels_[depth];
  level.bucket.resize(size_t(n));
  level.values.resize(size_t(n));
  level.ranks.resize(size_t(n));
  level.next.assign(size_t(buckets + 1), 0);
  uint16_t* const bucket = level.bucket.data();
  int32_t* const next = level.next.data();
  for (int64_t i = 0; i < n; ++i) {
    bucket[i] = uint16_t(step_of(x[i], low, scale));
  }
  for (int64_t i = 0; i < n; ++i) ++next[bucket[i] + 1];
  std::partial_sum(next, next + buckets + 1, next);
  const std::vector<int32_t> begins = level.next;
  for (int64_t i = 0; i < n; ++i) level.values[next[bucket[i]]++] = x[i];
  for (int64_t b = 0; b < buckets; ++b) {
    const int64_t begin = begins[b], count = begins[b + 1] - begin;
    if (count == 0) continue;
    rank(level.values.data() + begin, count, below + begin, depth + 1, level.ranks.data() + begin);
    poll_interrupt();
  }
  std::copy(begins.begin(), begins.end(), next);
  for (int64_t i = 0; i < n; ++i) out[i] = level.ranks[next[bucket[i]]++];
}

// Radix sort of 16 bits of every value, which then lead to few comparisons of the values.
template <class T>
void Ranker<T>::rank_few(const T* x, int64_t n, int64_t below, T low, double width, int32_t* out) {
  constexpr uint32_t kLast = (1u << kKeyBits) - 1;
  const double scale = double(kLast) / width;
  keys_.resize(size_t(kFew));
  sorted_keys_.resize(size_t(kFew));
  order_.resize(size_t(kFew));
  uint32_t* const keys = keys_.data();
  uint32_t* const sorted = sorted_keys_.data();
  for (int64_t i = 0; i < n; ++i) {
    keys[i] = uint32_t(step_of(x[i], low, scale)) << 16 | uint32_t(i);
  }
  if (n < 64) {
    std::sort(keys, keys + n);
  } else {
    std::array<int32_t, 256> lower{}, upper{};
    for (int64_t i = 0; i < n; ++i) {
      ++lower[keys[i] >> 16 & 255];
      ++upper[keys[i] >> 24];
    }
    int32_t begin_lower = 0, begin_upper = 0;
    for (int digit = 0; digit < 256; ++digit) {
      begin_lower += std::exchange(lower[digit], begin_lower);
      begin_upper += std::exchange(upper[digit], begin_upper);
    }
    for (int64_t i = 0; i < n; ++i) sorted[lower[keys[i] >> 16 & 255]++] = keys[i];
    for (int64_t i = 0; i < n; ++i) keys[upper[sorted[i] >> 24]++] = sorted[i];
  }
  const int32_t first = int32_t(2 * below + 1 - total_);
  for (int64_t k = 0; k < n; ++k) out[keys[k] & kLast] = first + int32_t(2 * k);
  for (int64_t begin = 0, end = 1; end <= n; ++end) {
    if (end < n && keys[end] >> 16 == keys[begin] >> 16) continue;
    if (end - begin > 1) {
      for (int64_t k = begin; k < end; ++k) order_[k] = int32_t(keys[k] & kLast);
      resolve(x, order_.data() + begin, end - begin, below + begin, out);
    }
    begin = end;
  }
}

template <class T>
void Ranker<T>::rank_by_comparison(const T* x, int64_t n, int64_t below, int32_t* out) {
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  resolve(x, order.data(), n, below, out);
}

// Ranks the values at these positions.
template <class T>
void Ranker<T>::resolve(const T* x, int32_t* order, int64_t n, int64_t below, int32_t* out) {
  const T first = x[order[0]];
  if (!std::all_of(order, order + n, [x, first](int32_t i) { return x[i] == first; })) {
    std::sort(order, order + n, [x](int32_t a, int32_t b) { return x[a] < x[b]; });
  }
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && x[order[end]] == x[order[begin]]) ++end;
    const int32_t rank = shared_rank(below + begin, below + end);
    for (int64_t k = begin; k < end; ++k) out[order[k]] = rank;
  }
}

template class Ranker<float>;
template class Ranker<double>;

}  // namespace likewise

#include "rsa/ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>
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
constexpr int64_t kPerLongBucket = 1 << 18;
constexpr int kKeyBits = 16;

// Steps from `low` to x, never descending in x. With scale = last / (high - low) the last one is
// `last` or one less: two roundings do not reach the next whole number.
int32_t step_of(double x, double low, double scale) { return int32_t((x - low) * scale); }

// Whether steps of a range can be told.
bool divides(double width) { return width > 1e-290 && width < 1e290; }

}  // namespace

Ranker::Range Ranker::range_of(const double* x, int64_t n) {
  constexpr int64_t kLanes = 16;  // independent of each other, so that none waits for the last
  double low[kLanes], high[kLanes], zeros[kLanes] = {};
  std::fill_n(low, kLanes, x[0]);
  std::fill_n(high, kLanes, x[0]);
  const auto see = [&](double value, int64_t k) {
    low[k] = value < low[k] ? value : low[k];
    high[k] = value > high[k] ? value : high[k];
    zeros[k] += value * 0.0;  // NaN from the first value on that is not finite
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) see(x[i + k], k);
  }
  for (; i < n; ++i) see(x[i], 0);
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes),
          std::accumulate(zeros, zeros + kLanes, 0.0) == 0};
}

bool Ranker::tie(double low, double high, double tolerance) const {
  return high == low || high - low <= tolerance * std::max(std::abs(low), std::abs(high));
}

double Ranker::operator()(const double* x, int64_t n, int32_t* out) {
  total_ = n;
  ties_ = 0;
  if (n == 0) return ties_;
  const Range range = range_of(x, n);
  if (!range.finite) {
    std::fill_n(out, n, 0);
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (n > most_ && divides(range.high - range.low)) {
    rank_long(x, n, range, out);
  } else {
    rank(x, n, range, 0, 0, out);
  }
  return ties_;
}

int32_t Ranker::shared_rank(int64_t begin, int64_t end) {
  const double t = double(end - begin);
  ties_ += t * t * t - t;
  return int32_t(begin + end - total_);
}

void Ranker::rank(const double* x, int64_t n, const Range& range, int64_t below, int depth,
                  int32_t* out) {
  if (range.low == range.high) {
    std::fill_n(out, n, shared_rank(below, below + n));
  } else if (!divides(range.high - range.low) || (n > kFew && depth == kDepth)) {
    rank_by_comparison(x, n, below, out);
  } else if (n <= kFew) {
    rank_few(x, n, range, below, out);
  } else {
    distribute(x, n, range, below, depth, out);
  }
}

// Buckets of places in x instead of values, which are gathered where they are ranked.
void Ranker::rank_long(const double* x, int64_t n, const Range& range, int32_t* out) {
  const int64_t buckets = std::min(n / kPerLongBucket + 2, kMostBuckets);
  const double scale = double(buckets - 1) / (range.high - range.low);
  const auto bucket = [&](int64_t i) { return step_of(x[i], range.low, scale); };
  std::vector<int32_t> begins(size_t(buckets + 1), 0), places(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) ++begins[bucket(i) + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<int32_t> next = begins, ranks;
  for (int64_t i = 0; i < n; ++i) places[next[bucket(i)]++] = int32_t(i);
  // Buckets that have a tie across their border are ranked as one.
  std::vector<double> values, ahead;
  Range seen{};
  const auto rank_up_to = [&](int64_t end) {
    const int64_t count = int64_t(values.size()), begin = end - count;
    ranks.resize(size_t(count));
    rank(values.data(), count, seen, begin, 0, ranks.data());
    for (int64_t k = 0; k < count; ++k) out[places[begin + k]] = ranks[k];
    poll_interrupt();
  };
  for (int64_t b = 0; b < buckets; ++b) {
    const int64_t begin = begins[b], count = begins[b + 1] - begin;
    if (count == 0) continue;
    ahead.resize(size_t(count));
    for (int64_t k = 0; k < count; ++k) ahead[k] = x[places[begin + k]];
    const Range here = range_of(ahead.data(), count);
    if (!values.empty() && tie(seen.high, here.low, tolerance_)) {
      values.insert(values.end(), ahead.begin(), ahead.end());
      seen.high = here.high;
      continue;
    }
    if (!values.empty()) rank_up_to(begin);
    values.swap(ahead);
    seen = here;
  }
  rank_up_to(n);
}

void Ranker::distribute(const double* x, int64_t n, const Range& range, int64_t below, int depth,
                        int32_t* out) {
  const int64_t buckets = std::min(int64_t(std::bit_ceil(uint64_t(n / kPerBucket))), kMostBuckets);
  const double low = range.low, scale = double(buckets - 1) / (range.high - low);
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
  const double* const values = level.values.data();
  const auto rank_values = [&](int64_t begin, int64_t end, const Range& of) {
    // What ties from bucket to bucket will not come apart further down.
    const int next_depth = end - begin > n / 2 ? std::max(depth + 1, kDepth - 1) : depth + 1;
    rank(values + begin, end - begin, of, below + begin, next_depth, level.ranks.data() + begin);
    poll_interrupt();
  };
  // Buckets that have a tie across their border are ranked as one.
  int64_t first = 0;
  Range seen = range_of(values, begins[1]);  // the first one has the lowest value
  for (int64_t b = 1; b < buckets; ++b) {
    const int64_t begin = begins[b], count = begins[b + 1] - begin;
    if (count == 0) continue;
    const Range here = range_of(values + begin, count);
    if (tie(seen.high, here.low, tolerance_)) {
      seen.high = here.high;
      continue;
    }
    rank_values(first, begin, seen);
    first = begin;
    seen = here;
  }
  rank_values(first, n, seen);
  std::copy(begins.begin(), begins.end(), next);
  for (int64_t i = 0; i < n; ++i) out[i] = level.ranks[next[bucket[i]]++];
}

// Radix sort of 16 bits of every value, which then lead to few comparisons of the values.
void Ranker::rank_few(const double* x, int64_t n, const Range& range, int64_t below, int32_t* out) {
  constexpr uint32_t kLast = (1u << kKeyBits) - 1;
  const double low = range.low, scale = double(kLast) / (range.high - low);
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
  // Steps that a tie may reach over.
  const double largest = std::max(std::abs(low), std::abs(range.high));
  const uint32_t reach = uint32_t(std::min(tolerance_ * largest * scale + 1, double(kLast)));
  const int32_t first = int32_t(2 * below + 1 - total_);
  for (int64_t k = 0; k < n; ++k) out[keys[k] & kLast] = first + int32_t(2 * k);
  for (int64_t begin = 0, end = 1; end <= n; ++end) {
    if (end < n && (keys[end] >> 16) - (keys[end - 1] >> 16) <= reach) continue;
    if (end - begin > 1) {
      for (int64_t k = begin; k < end; ++k) order_[k] = int32_t(keys[k] & kLast);
      resolve(x, order_.data() + begin, end - begin, below + begin, out);
    }
    begin = end;
  }
}

void Ranker::rank_by_comparison(const double* x, int64_t n, int64_t below, int32_t* out) {
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  resolve(x, order.data(), n, below, out);
}

// Ranks the values at these positions.
void Ranker::resolve(const double* x, int32_t* order, int64_t n, int64_t below, int32_t* out) {
  const double first = x[order[0]];
  if (!std::all_of(order, order + n, [x, first](int32_t i) { return x[i] == first; })) {
    std::sort(order, order + n, [x](int32_t a, int32_t b) { return x[a] < x[b]; });
  }
  share(x, order, n, below, tolerance_, out);
}

// Ranks the values at these positions, which ascend.
void Ranker::share(const double* x, const int32_t* order, int64_t n, int64_t below,
                   double tolerance, int32_t* out) {
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && tie(x[order[end - 1]], x[order[end]], tolerance)) ++end;
    if (!tie(x[order[begin]], x[order[end - 1]], tolerance_)) {
      const double finer = tolerance < std::numeric_limits<double>::epsilon() ? 0 : tolerance / 16;
      share(x, order + begin, end - begin, below + begin, finer, out);
      continue;
    }
    const int32_t rank = shared_rank(below + begin, below + end);
    for (int64_t k = begin; k < end; ++k) out[order[k]] = rank;
  }
}

}  // namespace likewise

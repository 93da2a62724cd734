#include "rsa/rsa.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

#include "core/copy.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;

// Rows ready for products: of unit norm (correlation: centred before), or (distances) measured from
// the first sample, which keeps whole numbers whole and equal distances equal, in units of a power
// of two, which is returned through `unit`.
template <class T>
int64_t standardized(const MatrixRef<const T>& x, Dissimilarity dissimilarity, std::vector<T>& out,
                     double& unit) {
  const int64_t n = x.rows, d = x.cols;
  out.resize(size_t(n * d));
  copy_matrix(x, out.data());
  unit = 1;
  std::vector<double> values(static_cast<size_t>(d));
  if (dissimilarity == Dissimilarity::euclidean || dissimilarity == Dissimilarity::sqeuclidean) {
    const std::vector<T> origin(out.begin(), out.begin() + d);
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        largest = std::max(largest, std::abs(double(out[i * d + j]) - double(origin[j])));
      }
    }
    if (largest > 0 && std::isfinite(largest)) unit = std::ldexp(1.0, std::ilogb(largest));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        out[i * d + j] = T((double(out[i * d + j]) - double(origin[j])) / unit);
      }
    }
    return 0;
  }
  int64_t without = 0;
  for (int64_t i = 0; i < n; ++i) {
    T* row = out.data() + i * d;
    const auto [low, high] = std::minmax_element(row, row + d);
    const double size = std::max(std::abs(double(*low)), std::abs(double(*high)));
    const bool flat = dissimilarity == Dissimilarity::correlation && *low == *high;
    if (size == 0 || flat) {
      std::fill_n(row, d, T(0));
      ++without;
      continue;
    }
    const double scale = std::isfinite(size) ? std::ldexp(1.0, -std::ilogb(size)) : 1;
    double mean = 0;
    for (int64_t j = 0; j < d; ++j) {
      values[j] = double(row[j]) * scale;
      mean += values[j] / double(d);
    }
    if (dissimilarity == Dissimilarity::cosine) mean = 0;
    double squares = 0;
    for (double& value : values) {
      value -= mean;
      squares += value * value;
    }
    const double norm = std::sqrt(squares);
    for (int64_t j = 0; j < d; ++j) row[j] = T(values[j] / norm);
  }
  return without;
}

// Integers in the order of the numbers; -0 comes just before 0.
template <class T>
auto ordered_bits(T x) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  const Bits bits = std::bit_cast<Bits>(x);
  constexpr Bits kSign = Bits{1} << (sizeof(T) * 8 - 1);
  return bits & kSign ? Bits(~bits) : Bits(bits | kSign);
}

using Keyed = SortWorkspace::Keyed;

// Positions of the values, ascending. Radix sort of the upper 32 bits, 11 at a time, digits that
// all share skipped; what these do not tell apart is sorted by comparison. Valid until the next
// call.
template <class T>
const std::vector<Keyed>& sorted(const T* x, int64_t n, SortWorkspace& w) {
  constexpr int kBits = 11, kDigits = 3, kShift = int(sizeof(T)) * 8 - 32;
  constexpr uint32_t kBuckets = 1u << kBits;
  std::vector<Keyed>&from = w.from, &to = w.to;
  from.resize(size_t(n));
  to.resize(size_t(n));
  std::vector<int64_t> counts(kDigits * kBuckets, 0);
  for (int64_t i = 0; i < n; ++i) {
    from[i] = {uint32_t(ordered_bits(x[i]) >> kShift), int32_t(i)};
    for (int digit = 0; digit < kDigits; ++digit) {
      ++counts[digit * kBuckets + ((from[i].key >> (digit * kBits)) & (kBuckets - 1))];
    }
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    int64_t* count = counts.data() + digit * kBuckets;
    if (n == 0 || count[(from[0].key >> (digit * kBits)) & (kBuckets - 1)] == n) continue;
    int64_t begin = 0;
    for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
      begin += std::exchange(count[bucket], begin);
    }
    for (const Keyed& entry : from) {
      to[count[(entry.key >> (digit * kBits)) & (kBuckets - 1)]++] = entry;
    }
    from.swap(to);
  }
  if constexpr (kShift > 0) {
    for (int64_t begin = 0, end = 0; begin < n; begin = end) {
      end = begin + 1;
      while (end < n && from[end].key == from[begin].key) ++end;
      if (end - begin > 1) {
        std::sort(from.begin() + begin, from.begin() + end,
                  [x](const Keyed& a, const Keyed& b) { return x[a.index] < x[b.index]; });
      }
    }
  }
  return from;
}

// Calls body(begin, end) for all runs of equal values.
template <class T, class Body>
void for_each_run(const T* x, const std::vector<Keyed>& order, const Body& body) {
  const int64_t n = int64_t(order.size());
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    const T value = x[order[begin].index];
    end = begin + 1;
    while (end < n && x[order[end].index] == value) ++end;
    body(begin, end);
  }
}

double pairs_of(int64_t count) { return double(count) * double(count - 1) / 2; }

// Sorts and returns the number of pairs that were in the wrong order.
double sort_and_count(std::vector<int32_t>& values, std::vector<int32_t>& buffer) {
  const int64_t n = int64_t(values.size());
  buffer.resize(values.size());
  double inversions = 0;
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      const int64_t middle = std::min(begin + width, n), end = std::min(begin + 2 * width, n);
      int64_t i = begin, j = middle, crossed = 0;
      for (int64_t k = begin; k < end; ++k) {
        if (i < middle && (j >= end || values[i] <= values[j])) {
          buffer[k] = values[i++];
        } else {
          buffer[k] = values[j++];
          crossed += middle - i;
        }
      }
      inversions += double(crossed);
    }
    values.swap(buffer);
    poll_interrupt();
  }
  return inversions;
}

}  // namespace

template <class T>
int64_t rdm(const MatrixRef<const T>& x, Dissimilarity dissimilarity, int threads, T* out) {
  const int64_t n = x.rows, d = x.cols;
  const bool distance =
      dissimilarity == Dissimilarity::euclidean || dissimilarity == Dissimilarity::sqeuclidean;
  std::vector<T> rows;
  double unit = 1;
  const int64_t without = standardized(x, dissimilarity, rows, unit);
  std::vector<double> norms(size_t(n), 0.0);
  for (int64_t i = 0; distance && i < n; ++i) {
    const T* row = rows.data() + i * d;
    for (int64_t j = 0; j < d; ++j) norms[i] += double(row[j]) * double(row[j]);
  }
  std::vector<std::vector<T>> workspaces(size_t(std::max(threads, 1)));
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int worker) {
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
    const int64_t width = n - first;  // only the upper triangle
    std::vector<T>& products = workspaces[worker];
    products.resize(size_t(count * width));
    gemm<T>(Op::none, Op::transpose, count, width, d, T(1), rows.data() + first * d, d,
            rows.data() + first * d, d, T(0), products.data(), width);
    for (int64_t i = first; i < first + count; ++i) {
      T* to = out + i * (2 * n - i - 1) / 2;
      const T* from = products.data() + (i - first) * width + (i - first) + 1;
      for (int64_t j = i + 1; j < n; ++j, ++from, ++to) {
        if (!distance) {
          *to = T(1) - *from;
          continue;
        }
        double square = norms[i] + norms[j] - 2 * double(*from);
        // Nearly equal samples: the difference itself.
        if (square < 1e-2 * (norms[i] + norms[j])) {
          square = 0;
          for (int64_t t = 0; t < d; ++t) {
            const double step = (double(x(i, t)) - double(x(j, t))) / unit;
            square += step * step;
          }
        }
        *to = T(dissimilarity == Dissimilarity::euclidean ? std::sqrt(square) * unit
                                                          : square * unit * unit);
      }
    }
    poll_interrupt();
  });
  return without;
}

template <class T>
void scaled_ranks(const T* x, int64_t n, bool unit_norm, SortWorkspace& w, double* out) {
  const std::vector<Keyed>& order = sorted(x, n, w);
  const double middle = double(n - 1) / 2;
  double ties = 0;
  for_each_run(x, order, [&](int64_t begin, int64_t end) {
    const double t = double(end - begin), rank = double(begin + end - 1) / 2 - middle;
    for (int64_t k = begin; k < end; ++k) out[order[k].index] = rank;
    ties += t * t * t - t;
  });
  const double size = double(n), cubes = size * size * size - size;
  const double scale = std::sqrt(12 / (unit_norm ? cubes - ties : cubes));
  for (int64_t k = 0; k < n; ++k) out[k] = out[k] * scale;
}

template <class T>
KendallCounts kendall_counts(const T* x, const T* y, int64_t n, SortWorkspace& w) {
  // Dense ranks of y, then both in the order of x, y ascending within equal x.
  std::vector<int32_t> rank_y(static_cast<size_t>(n));
  const std::vector<Keyed>& order_y = sorted(y, n, w);
  KendallCounts counts;
  int32_t rank = 0;
  for_each_run(y, order_y, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) rank_y[order_y[k].index] = rank;
    counts.ties_y += pairs_of(end - begin);
    ++rank;
  });
  const std::vector<Keyed>& order_x = sorted(x, n, w);
  std::vector<int32_t> values(static_cast<size_t>(n)), buffer;
  double ties_both = 0;
  for_each_run(x, order_x, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) values[k] = rank_y[order_x[k].index];
    std::sort(values.begin() + begin, values.begin() + end);
    counts.ties_x += pairs_of(end - begin);
    for (int64_t k = begin, same = begin; k < end; ++k) {
      if (values[k] != values[same]) same = k;
      ties_both += double(k - same);
    }
  });
  const double discordant = sort_and_count(values, buffer);
  counts.concordant_minus_discordant =
      pairs_of(n) - counts.ties_x - counts.ties_y + ties_both - 2 * discordant;
  return counts;
}

#define LIKEWISE_INSTANTIATE(T)                                                    \
  template int64_t rdm<T>(const MatrixRef<const T>&, Dissimilarity, int, T*);      \
  template void scaled_ranks<T>(const T*, int64_t, bool, SortWorkspace&, double*); \
  template KendallCounts kendall_counts<T>(const T*, const T*, int64_t, SortWorkspace&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

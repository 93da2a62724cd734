#pragma once

// What the solvers do to whole rows of costs. Everything is in double; `reduced cost` means
// sign * cost - column dual.

#include "assignment/cpu/lap.h"
#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {

using D = Simd<double>;
constexpr double kInfinity = __builtin_inf();
constexpr double kLargest = 1.7976931348623157e308;
constexpr int kLanes = D::lanes;
constexpr int kStep = 8;  // vectors per block: one word of bits, at most
constexpr int kBlock = kStep * kLanes;

template <class T>
static inline const T* cost_row(const SearchState& s, int32_t i) {
  return static_cast<const T*>(s.cost) + i * s.row_stride;
}

template <class T>
static inline D::Vec reduced(const SearchState& s, const T* row, int32_t j) {
  return D::load_as(row + j) * D::fill(s.sign) - D::load(s.column_dual + j);
}

template <class T>
static inline double reduced_at(const SearchState& s, const T* row, int32_t j) {
  return s.sign * double(row[j]) - s.column_dual[j];
}

// A long solve stops here when the user asks for it. `entries` is the work done since the last
// call.
static inline void count_work(SearchState& s, int64_t entries) {
  constexpr int64_t kEntriesPerPoll = int64_t{1} << 21;  // about a millisecond
  s.work += entries;
  if (s.work < kEntriesPerPoll) return;
  s.work = 0;
  s.poll();
}

// Asks for the memory that a walk over consecutive rows will reach soon: the processor's own
// prefetching stops at page boundaries and is late after the mispredicted branch of a row's end.
template <class T>
static inline void prefetch_beyond(const T* block) {
  constexpr int kAhead = 2048;  // bytes
  constexpr int kLine = 64;
  const char* p = reinterpret_cast<const char*>(block) + kAhead;
  for (int k = 0; k < kBlock * int(sizeof(T)); k += kLine) __builtin_prefetch(p + k);
}

struct RowMinimum {
  double value;
  int32_t column;  // the first one that has it; -1 if the value is infinite
  bool valid;      // no NaN, no -infinity
};

template <class T>
static RowMinimum row_minimum(SearchState& s, int32_t i) {
  const T* row = cost_row<T>(s, i);
  const int32_t n = s.cols;
  count_work(s, n);
  D::Vec lowest = D::fill(kInfinity);
  D::Mask first_block = D::Mask{};
  D::Mask nan = D::Mask{};
  int32_t j = 0;
  for (; j + kBlock <= n; j += kBlock) {
    prefetch_beyond(row + j);
    D::Vec block = D::fill(kInfinity);
    for (int k = 0; k < kStep; ++k) {
      const D::Vec x = reduced(s, row, j + k * kLanes);
      nan |= x != x;
      block = D::min(block, x);
    }
    const D::Mask lower = block < lowest;
    lowest = lower ? block : lowest;
    first_block = lower ? D::Mask{} + j : first_block;
  }
  RowMinimum best{D::min_lane(lowest), -1, D::bits(nan) == 0};
  int32_t begin = n;
  for (int lane = 0; lane < kLanes; ++lane) {
    const int32_t block = int32_t(first_block[lane]);
    if (lowest[lane] == best.value && block < begin && j > 0) begin = block;
  }
  for (; j < n; ++j) {
    const double x = reduced_at(s, row, j);
    best.valid &= x == x;
    if (x < best.value) {
      best.value = x;
      best.column = begin = j;
    }
  }
  best.valid &= best.value > -kInfinity;
  if (best.value == kInfinity || best.column >= 0) return best;
  uint64_t equal = 0;
  for (int k = 0; k < kStep; ++k) {
    equal |= D::bits(reduced(s, row, begin + k * kLanes) == D::fill(best.value)) << (k * kLanes);
  }
  best.column = begin + __builtin_ctzll(equal);
  return best;
}

// No NaN, and no -infinity after the sign.
template <class T>
static bool row_is_valid(const SearchState& s, int32_t i) {
  const T* row = cost_row<T>(s, i);
  D::Mask invalid = D::Mask{};
  int32_t j = 0;
  for (; j + kLanes <= s.cols; j += kLanes) {
    const D::Vec x = D::load_as(row + j) * D::fill(s.sign);
    invalid |= ~(x > D::fill(-kInfinity));
  }
  bool valid = D::bits(invalid) == 0;
  for (; j < s.cols; ++j) valid &= s.sign * double(row[j]) > -kInfinity;
  return valid;
}

// column_dual[j] = min over i of sign * cost(i, j), zero where all are infinite. False if invalid.
template <class T>
static bool column_minima(SearchState& s) {
  const int32_t n = s.cols;
  double* v = s.column_dual;
  for (int32_t j = 0; j < n; ++j) v[j] = kInfinity;
  D::Mask nan = D::Mask{};
  bool valid = true;
  for (int32_t i = 0; i < s.rows; ++i) {
    const T* row = cost_row<T>(s, i);
    count_work(s, n);
    int32_t j = 0;
    for (; j + kLanes <= n; j += kLanes) {
      const D::Vec x = D::load_as(row + j) * D::fill(s.sign);
      nan |= x != x;
      D::store(v + j, D::min(x, D::load(v + j)));
    }
    for (; j < n; ++j) {
      const double x = s.sign * double(row[j]);
      valid &= x == x;
      v[j] = x < v[j] ? x : v[j];
    }
  }
  valid &= D::bits(nan) == 0;
  for (int32_t j = 0; j < n; ++j) {
    valid &= v[j] > -kInfinity;
    if (v[j] == kInfinity) v[j] = 0;
  }
  return valid;
}

// The two smallest block minima in each of 4 classes of columns: what about 15 of the row's
// entries are at most as large as is then known without sorting.
struct Thresholds {
  double loose, tight, lowest;
};

// Fills block_min with the lane-wise minima of every block.
template <class T>
static Thresholds block_minima(SearchState& s, const T* row) {
  constexpr int kParts = kLanes < 4 ? 4 / kLanes : 1;
  D::Vec first[kParts], second[kParts];
  for (int part = 0; part < kParts; ++part) first[part] = second[part] = D::fill(kInfinity);
  const int32_t n = s.cols;
  int32_t blocks = 0;
  for (int32_t j = 0; j < n; j += kBlock, ++blocks) {
    D::Vec a = D::fill(kInfinity);
    if (j + kBlock <= n) {
      D::Vec b = a;
      for (int k = 0; k < kStep; k += 2) {
        a = D::min(a, reduced(s, row, j + k * kLanes));
        b = D::min(b, reduced(s, row, j + (k + 1) * kLanes));
      }
      a = D::min(a, b);
    } else {
      for (int32_t k = j; k < n; ++k) {
        const double x = reduced_at(s, row, k);
        if (x < a[k % kLanes]) a[k % kLanes] = x;
      }
    }
    D::store(s.block_min + blocks * kLanes, a);
    const int part = blocks % kParts;
    second[part] = D::min(second[part], D::max(first[part], a));
    first[part] = D::min(first[part], a);
  }
  double low[4], next[4];
  for (int c = 0; c < 4; ++c) {
    low[c] = first[c / kLanes % kParts][c % kLanes];
    next[c] = second[c / kLanes % kParts][c % kLanes];
  }
  for (int lane = 4; lane < kLanes; ++lane) {  // eight lanes: fold the upper half onto the lower
    const int c = lane - 4;
    const double x = first[0][lane], y = second[0][lane];
    const double larger = x < low[c] ? low[c] : x;
    next[c] = next[c] < larger ? next[c] : larger;
    next[c] = y < next[c] ? y : next[c];
    low[c] = x < low[c] ? x : low[c];
  }
  Thresholds t{next[0], next[0], low[0]};
  for (int c = 1; c < 4; ++c) {
    t.loose = next[c] > t.loose ? next[c] : t.loose;
    t.tight = next[c] < t.tight ? next[c] : t.tight;
    t.lowest = low[c] < t.lowest ? low[c] : t.lowest;
  }
  return t;
}

// Lists the entries of at most `threshold`. False if there are too many.
// Looks only at lanes of blocks whose minimum passes, and writes every entry but keeps those that
// pass: nothing here depends on hard-to-predict branches.
template <class T>
static bool list_up_to(const SearchState& s, const T* row, double threshold, Candidates& list) {
  constexpr int32_t kWord = 64;
  const int32_t n = s.cols, groups = (n + kBlock - 1) / kBlock * kLanes;
  int32_t count = 0;
  for (int32_t first = 0; first < groups; first += kWord) {
    const int32_t last = first + kWord < groups ? first + kWord : groups;
    uint64_t hits = 0;
    for (int32_t g = first; g < last; g += kLanes) {
      hits |= D::bits(D::load(s.block_min + g) <= D::fill(threshold)) << (g - first);
    }
    for (; hits; hits &= hits - 1) {
      const int32_t g = first + __builtin_ctzll(hits);
      const int32_t begin = g / kLanes * kBlock + g % kLanes;
      const int32_t end = begin + kBlock < n ? begin + kBlock : n;
      for (int32_t j = begin; j < end; j += kLanes) {
        list.column[count] = j;
        list.cost[count] = s.sign * double(row[j]);
        count += list.cost[count] - s.column_dual[j] <= threshold;
      }
      if (count > Candidates::kCapacity) return false;
    }
  }
  list.count = count;
  return true;
}

// Fills the list up with entries of exactly this reduced cost, from column `start` on cyclically.
template <class T>
static void list_ties(const SearchState& s, const T* row, double value, int32_t start,
                      Candidates& list) {
  int32_t j = start;
  for (int32_t k = 0; k < s.cols && list.count < Candidates::kCapacity; ++k) {
    if (reduced_at(s, row, j) == value) {
      list.column[list.count] = j;
      list.cost[list.count] = s.sign * double(row[j]);
      ++list.count;
    }
    j = j + 1 < s.cols ? j + 1 : 0;
  }
}

// Lists the row's smallest reduced costs and sets the bound of the others.
template <class T>
static void list_smallest(SearchState& s, const T* row, int32_t start, Candidates& list) {
  constexpr int kAttempts = 8;
  const Thresholds t = block_minima(s, row);
  double threshold = t.loose < kInfinity ? t.loose : kLargest;
  for (int attempt = 0;; ++attempt) {
    list.bound = threshold < kLargest ? threshold : kInfinity;
    if (list_up_to(s, row, threshold, list)) return;
    // Too many, perhaps because of ties at the threshold: then the list may hold any of them. Rows
    // that start at different columns hold different ones, and need not fight over the first few.
    if (list_up_to(s, row, __builtin_nextafter(threshold, -kInfinity), list)) {
      list.bound = threshold;
      list_ties(s, row, threshold, start, list);
      return;
    }
    if (attempt == 0) {
      threshold = t.tight < threshold ? t.tight : t.lowest;
    } else {
      threshold = attempt < kAttempts ? 0.5 * t.lowest + 0.5 * threshold : t.lowest;
    }
  }
}

// Lists the row's smallest reduced costs anew.
template <class T>
static void renew_candidates(SearchState& s, int32_t i) {
  Candidates& list = s.candidates[i];
  const T* row = cost_row<T>(s, i);
  count_work(s, 2 * s.cols);
  if (s.cols <= Candidates::kCapacity) {
    for (int32_t j = 0; j < s.cols; ++j) {
      list.cost[j] = s.sign * double(row[j]);
      list.column[j] = j;
    }
    list.count = s.cols;
    list.bound = kInfinity;
  } else {
    list_smallest(s, row, i, list);
  }
  for (; list.count % kLanes != 0; ++list.count) {
    list.column[list.count] = 0;
    list.cost[list.count] = kInfinity;
  }
}

}  // namespace likewise::LIKEWISE_ISA

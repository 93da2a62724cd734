#pragma once

// Assignments of few columns for lap.simd.cpp: shortest augmenting paths over whole rows, each in a
// few vectors. Lists of candidates and blocks of keys pay from more than 64 columns on: 48 of
// normal costs take 21 us with them and 9 without, 64 take 28 and 22, equal small integers 36
// and 5.

#include "assignment/cpu/path.simd.h"

namespace likewise::LIKEWISE_ISA {

template <class T>
class SmallProblem {
 public:
  static constexpr int32_t kMost = 64;  // columns

  explicit SmallProblem(LapState& state) : s(state), vectors_((state.cols + kLanes - 1) / kLanes) {}

  // As LapKernels, but that start duals of rectangular problems do not count.
  LapStatus solve(bool warm) {
    if (!read()) return LapStatus::invalid;
    // Duals of columns that may stay without a row must be equal.
    const bool square = s.rows == s.cols;
    for (int32_t j = 0; j < s.cols && (warm || !square); ++j) {
      dual_[j] = square ? s.column_dual[j] : 0;
    }
    free_ = ~uint64_t{0} >> (64 - s.cols);
    uint64_t left = 0;
    for (int32_t i = 0; i < s.rows; ++i) left |= uint64_t{!take_least(i)} << i;
    for (; left; left &= left - 1) {
      if (!augment(__builtin_ctzll(left))) return LapStatus::infeasible;
    }
    for (int32_t j = 0; j < s.cols; ++j) s.row_of_col[j] = kFree;
    for (int32_t i = 0; i < s.rows; ++i) assign(s, i, s.col_of_row[i], cost_[i][s.col_of_row[i]]);
    for (int32_t j = 0; j < s.cols; ++j) s.column_dual[j] = dual_[j];
    return LapStatus::optimal;
  }

 private:
  // Costs after the sign, columns beyond the last forbidden, and the columns' minima as duals.
  bool read() {
    D::Mask invalid = {};
    D::Vec least[kVectors];
    for (int q = 0; q < vectors_; ++q) least[q] = D::fill(kInfinity);
    const int whole = s.cols / kLanes;
    for (int32_t i = 0; i < s.rows; ++i) {
      const T* row = cost_row<T>(s, i);
      for (int32_t j = whole * kLanes; j < vectors_ * kLanes; ++j) {
        cost_[i][j] = j < s.cols ? s.sign * double(row[j]) : kInfinity;
      }
      for (int q = 0; q < vectors_; ++q) {
        const D::Vec x = q < whole ? D::load_as(row + q * kLanes) * D::fill(s.sign) : costs(i, q);
        D::store(cost_[i] + q * kLanes, x);
        invalid |= ~(x > D::fill(-kInfinity));
        least[q] = D::min(least[q], x);
      }
    }
    for (int q = 0; q < vectors_; ++q) {
      D::store(dual_ + q * kLanes, least[q] < D::fill(kInfinity) ? least[q] : D::Vec{});
    }
    return D::bits(invalid) == 0;
  }

  // Gives the row the first free column of its least reduced cost, if there is one.
  bool take_least(int32_t i) {
    D::Vec reduced[kVectors], least = D::fill(kInfinity);
    for (int q = 0; q < vectors_; ++q) {
      reduced[q] = costs(i, q) - duals(q);
      least = D::min(least, reduced[q]);
    }
    const double lowest = D::min_lane(least);
    const uint64_t equal = lowest < kInfinity ? equal_to(lowest, reduced) & free_ : 0;
    if (equal) take(i, __builtin_ctzll(equal));
    return equal != 0;
  }

  void take(int32_t i, int32_t j) {
    s.col_of_row[i] = j;
    s.row_of_col[j] = i;
    free_ &= ~(uint64_t{1} << j);
  }

  // Dijkstra's search from a row without a column for the nearest free one. False if there is none.
  bool augment(int32_t root) {
    D::Vec distance[kVectors], closed[kVectors] = {};  // of open columns; infinity where closed
    D::Mask from[kVectors];
    for (int q = 0; q < vectors_; ++q) distance[q] = D::fill(kInfinity);
    int32_t columns[kMost], count = 0;
    double distances[kMost], base = 0, nearest = -kInfinity;
    for (int32_t i = root;;) {
      D::Vec least = D::fill(kInfinity);
      for (int q = 0; q < vectors_; ++q) {
        const D::Vec by_way = costs(i, q) - duals(q) - D::fill(base);
        const D::Vec x = D::max(by_way, D::fill(nearest)) + closed[q];
        const D::Mask nearer = x < distance[q];
        distance[q] = nearer ? x : distance[q];
        from[q] = nearer ? D::Mask{} + i : from[q];
        least = D::min(least, distance[q]);
      }
      nearest = D::min_lane(least);
      if (nearest == kInfinity) return false;
      const uint64_t equal = equal_to(nearest, distance);
      const int32_t j = __builtin_ctzll(equal & free_ ? equal & free_ : equal);
      if (free_ >> j & 1) {
        for (int32_t k = 0; k < count; ++k) dual_[columns[k]] += distances[k] - nearest;
        exchange(root, j, from);
        return true;
      }
      columns[count] = j;
      distances[count++] = nearest;
      for (int q = 0; q < vectors_; ++q) {
        const D::Mask here = lanes(q) == D::Mask{} + j;
        closed[q] = here ? D::fill(kInfinity) : closed[q];
        distance[q] = here ? D::fill(kInfinity) : distance[q];
      }
      i = s.row_of_col[j];
      base = cost_[i][j] - dual_[j] - nearest;
    }
  }

  void exchange(int32_t root, int32_t j, const D::Mask* from) {
    for (int32_t i = -1; i != root;) {
      i = int32_t(from[j / kLanes][j % kLanes]);
      const int32_t previous = s.col_of_row[i];
      take(i, j);
      j = previous;
    }
  }

  uint64_t equal_to(double value, const D::Vec* values) const {
    uint64_t equal = 0;
    for (int q = 0; q < vectors_; ++q) {
      equal |= D::bits(values[q] == D::fill(value)) << (q * kLanes);
    }
    return equal;
  }

  D::Vec costs(int32_t i, int q) const { return D::load(cost_[i] + q * kLanes); }
  D::Vec duals(int q) const { return D::load(dual_ + q * kLanes); }
  static D::Mask lanes(int q) {
    D::Mask index = {};
    for (int lane = 0; lane < kLanes; ++lane) index[lane] = q * kLanes + lane;
    return index;
  }

  static constexpr int kVectors = kMost / kLanes;
  LapState& s;
  const int vectors_;  // of a row
  uint64_t free_ = 0;  // columns without a row, a bit each
  alignas(64) double cost_[kMost][kMost];
  alignas(64) double dual_[kMost];
};

}  // namespace likewise::LIKEWISE_ISA

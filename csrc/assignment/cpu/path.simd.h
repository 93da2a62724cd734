#pragma once

// Shortest augmenting paths for lap.simd.cpp.

#include "assignment/cpu/search.simd.h"

namespace likewise::LIKEWISE_ISA {

constexpr int32_t kFree = -1;     // a column that no row has
constexpr int32_t kSurplus = -2;  // one that stays without, at the largest column dual
constexpr int32_t kSurplusRoot = -3;

static inline void assign(LapState& s, int32_t i, int32_t j, double cost) {
  s.col_of_row[i] = j;
  s.row_of_col[j] = i;
  s.matched_cost[i] = cost;
}

template <class T>
class ShortestPath : PathSearch<T, LapState, ShortestPath<T>> {
  using Search = PathSearch<T, LapState, ShortestPath<T>>;
  friend Search;
  using Search::s, Search::touched_, Search::settled_, Search::free_column_;

 public:
  explicit ShortestPath(LapState& state) : Search(state) {}

  // Makes `root` and the rows along the path to a free column exchange columns, and lowers the
  // duals so that complementary slackness holds. False if there is no free column to be reached.
  bool augment(int32_t root) {
    this->scan(root, 0);
    if (!this->find_free_column()) return false;
    this->lower_duals();
    this->clear();
    exchange(root);
    return true;
  }

  // The same from a row of zero costs that has all surplus columns; `level` is their dual.
  void augment_surplus(double& level) {
    settled_ = -level;
    for (int32_t j = 0; j < s.cols; ++j) {
      if (s.row_of_col[j] == kSurplus) {
        s.distance[j] = settled_;
        s.touched[touched_++] = j;
      }
    }
    for (int32_t j = 0; j < s.cols; ++j) {
      const double x = -s.column_dual[j];
      if (x < s.distance[j]) this->offer(j, x, kSurplusRoot);
    }
    for (int32_t b = 0; b < key_blocks(s); ++b) this->update_key_min(b);
    this->find_free_column();
    this->lower_duals();
    this->clear();
    exchange(kSurplusRoot);
    level = -settled_;
    for (int32_t j = 0; j < s.cols; ++j) {
      if (s.row_of_col[j] == kSurplus) s.column_dual[j] = level;
    }
  }

 private:
  bool is_free(int32_t j) const { return s.row_of_col[j] == kFree; }

  void expand(int32_t j) {
    const int32_t i = s.row_of_col[j];
    this->scan(i, s.matched_cost[i] - s.column_dual[j] - settled_);
  }

  void exchange(int32_t root) {
    int32_t j = free_column_;
    while (true) {
      const int32_t i = s.predecessor[j];
      if (i == kSurplusRoot) {
        s.row_of_col[j] = kSurplus;
        return;
      }
      const int32_t previous = s.col_of_row[i];
      assign(s, i, j, s.sign * double(cost_row<T>(s, i)[j]));
      if (i == root) return;
      j = previous;
    }
  }
};

}  // namespace likewise::LIKEWISE_ISA

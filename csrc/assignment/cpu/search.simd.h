#pragma once

// Dijkstra's search over reduced costs, for the solvers of assignment and transport.

#include "assignment/cpu/rows.simd.h"

namespace likewise::LIKEWISE_ISA {

constexpr int32_t kKeysPerBlock = 16;

static inline int32_t key_blocks(const SearchState& s) {
  return (s.cols + kKeysPerBlock - 1) / kKeysPerBlock;
}

// Nothing is known of the rows, no column is at any distance.
static inline void reset_search(SearchState& s) {
  for (int32_t i = 0; i < s.rows; ++i) {
    s.candidates[i].count = s.candidates[i].wide = 0;
    s.candidates[i].bound = -kInfinity;
  }
  for (int32_t j = 0; j < s.cols; ++j) s.distance[j] = kInfinity;
  for (int32_t j = 0; j < key_blocks(s) * kKeysPerBlock; ++j) s.key[j] = kInfinity;
  for (int32_t b = 0; b < key_blocks(s) + SearchState::kPadding; ++b) s.key_min[b] = kInfinity;
}

// The search for the free column nearest to a root row. Rows offer their listed entries only, until
// some unlisted one might be as near as the nearest open column. The derived class `Path` has
// is_free(column), which says whether a column ends the search, and expand(column), which scans the
// rows that a settled column leads to.
template <class T, class State, class Path>
class PathSearch {
 protected:
  explicit PathSearch(State& state) : s(state) {}

  // False if no free column can be reached.
  bool find_free_column() {
    while (true) {
      const int32_t j = nearest_open();
      const double open = j < 0 ? kInfinity : s.key[j];
      const double nearest = open < free_distance_ ? open : free_distance_;
      if (limit_ < nearest || (limit_ == nearest && open < free_distance_)) {
        look_beyond_the_list();
        continue;
      }
      settled_ = nearest;
      if (free_distance_ <= open) return free_column_ >= 0;
      close(j);
      path().expand(j);
    }
  }

  void scan(int32_t i, double base) {
    count_work(s, Candidates::kCapacity + s.cols / kKeysPerBlock);
    Candidates& list = s.candidates[i];
    TreeRow& node = s.tree[tree_++];
    node = {base, list.bound - base, i, 0};
    if (list.wide > 0) {
      --list.wide;
      node.bound = kInfinity;
      offer_all(node);
      return;
    }
    offer_listed(node);
    if (node.bound < limit_) {
      limit_ = node.bound;
      limiting_ = &node;
    }
  }

  void offer_listed(const TreeRow& node) {
    const Candidates& list = s.candidates[node.row];
    double values[Candidates::kCapacity];
    uint64_t nearer = 0;
    for (int32_t t = 0; t < list.count; t += kLanes) {
      const D::Vec cost = D::load(list.cost + t) - D::gather(s.column_dual, list.column + t);
      nearer |= distances(node, cost, D::gather(s.distance, list.column + t), values + t) << t;
    }
    for (; nearer; nearer &= nearer - 1) {
      const int t = __builtin_ctzll(nearer);
      const int32_t j = list.column[t];
      offer(j, values[t], node.row);
      double& least = s.key_min[j / kKeysPerBlock];
      least = s.key[j] < least ? s.key[j] : least;
    }
  }

  void offer_all(const TreeRow& node) {
    const T* row = cost_row<T>(s, node.row);
    count_work(s, s.cols);
    double values[kBlock];
    for (int32_t begin = 0; begin < s.cols; begin += kBlock) {
      uint64_t nearer = 0;
      if (begin + kBlock <= s.cols) {
        for (int k = 0; k < kBlock; k += kLanes) {
          const D::Vec known = D::load(s.distance + begin + k);
          nearer |= distances(node, reduced(s, row, begin + k), known, values + k) << k;
        }
      } else {
        for (int32_t j = begin; j < s.cols; ++j) {
          const double x = reduced_at(s, row, j) - node.base;
          values[j - begin] = x < settled_ ? settled_ : x;
          nearer |= uint64_t(values[j - begin] < s.distance[j]) << (j - begin);
        }
      }
      if (nearer == 0) continue;
      for (; nearer; nearer &= nearer - 1) {
        const int t = __builtin_ctzll(nearer);
        offer(begin + t, values[t], node.row);
      }
      const int32_t end = begin + kBlock < s.cols ? begin + kBlock : s.cols;
      for (int32_t j = begin; j < end; j += kKeysPerBlock) update_key_min(j / kKeysPerBlock);
    }
  }

  // Distances by way of the row, for these reduced costs, and which of them are news.
  uint64_t distances(const TreeRow& node, D::Vec cost, D::Vec known, double* values) const {
    const D::Vec x = D::max(cost - D::fill(node.base), D::fill(settled_));
    D::store(values, x);
    return D::bits((x < D::fill(free_distance_)) & (x < known));
  }

  // `x` is below the column's known distance. Leaves key_min to the caller.
  void offer(int32_t j, double x, int32_t from) {
    if (x >= free_distance_) return;
    s.predecessor[j] = from;
    if (path().is_free(j)) {  // only the nearest of these counts, and it is never expanded
      free_distance_ = x;
      free_column_ = j;
      return;
    }
    s.touched[touched_] = j;
    touched_ += s.distance[j] == kInfinity;
    s.distance[j] = s.key[j] = x;
  }

  void update_key_min(int32_t b) {
    D::Vec least = D::fill(kInfinity);
    for (int t = 0; t < kKeysPerBlock; t += kLanes) {
      least = D::min(least, D::load(s.key + b * kKeysPerBlock + t));
    }
    s.key_min[b] = D::min_lane(least);
  }

  // The row with the lowest bound renews its list, or offers all its entries if that is no help.
  void look_beyond_the_list() {
    constexpr int32_t kDenseScans = 16;
    TreeRow& node = *limiting_;
    Candidates& list = s.candidates[node.row];
    if (list.bound == -kInfinity || !node.renewed) {
      renew_candidates<T>(s, node.row);
      node.renewed = 1;
      node.bound = list.bound - node.base;
      offer_listed(node);
    } else {
      list.wide = kDenseScans;
      node.bound = kInfinity;
      offer_all(node);
    }
    limit_ = kInfinity;
    for (int32_t k = 0; k < tree_; ++k) {
      if (s.tree[k].bound < limit_) {
        limit_ = s.tree[k].bound;
        limiting_ = &s.tree[k];
      }
    }
  }

  int32_t nearest_open() const {
    const int32_t blocks = key_blocks(s);
    D::Vec least = D::fill(kInfinity);
    for (int32_t b = 0; b < blocks; b += kLanes) least = D::min(least, D::load(s.key_min + b));
    const double x = D::min_lane(least);
    if (x == kInfinity) return -1;
    int32_t b = 0;
    uint64_t equal = 0;
    for (; !equal; b += kLanes) equal = D::bits(D::load(s.key_min + b) == D::fill(x));
    b += __builtin_ctzll(equal) - kLanes;
    return b * kKeysPerBlock + position_in_block(b, x);
  }

  int32_t position_in_block(int32_t b, double x) const {
    const double* keys = s.key + b * kKeysPerBlock;
    uint64_t equal = 0;
    for (int t = 0; t < kKeysPerBlock; t += kLanes) {
      equal |= D::bits(D::load(keys + t) == D::fill(x)) << t;
    }
    return __builtin_ctzll(equal);
  }

  void close(int32_t j) {
    s.closed[closed_++] = j;
    s.key[j] = kInfinity;
    update_key_min(j / kKeysPerBlock);
  }

  // Lowers the duals so that complementary slackness will hold along the path.
  void lower_duals() {
    for (int32_t k = 0; k < closed_; ++k) {
      const int32_t j = s.closed[k];
      s.column_dual[j] += s.distance[j] - settled_;
    }
  }

  void clear() {
    for (int32_t k = 0; k < touched_; ++k) {
      const int32_t j = s.touched[k];
      s.distance[j] = s.key[j] = s.key_min[j / kKeysPerBlock] = kInfinity;
    }
  }

  Path& path() { return static_cast<Path&>(*this); }

  State& s;
  int32_t touched_ = 0, closed_ = 0, tree_ = 0;
  double settled_ = -kInfinity;  // distance of the last closed column
  double free_distance_ = kInfinity;
  int32_t free_column_ = -1;

 private:
  double limit_ = kInfinity;  // least bound of a row in the tree
  TreeRow* limiting_ = nullptr;
};

}  // namespace likewise::LIKEWISE_ISA

#include "transport/cpu/flow.h"

#include "assignment/cpu/search.simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

constexpr int32_t kNone = -1;
constexpr int32_t kRoot = -2;  // entry of the row where a path begins

Arc* find_arc(FlowState& s, int32_t i, int32_t j) {
  for (int32_t k = s.first_arc[j]; k != kNone; k = s.arcs[k].next) {
    if (s.arcs[k].row == i) return &s.arcs[k];
  }
  return nullptr;
}

void send(FlowState& s, int32_t i, int32_t j, int64_t units, double cost) {
  if (Arc* arc = find_arc(s, i, j)) {
    arc->units += units;
    return;
  }
  if (s.unused_arc == kNone) s.grow(s);
  const int32_t k = s.unused_arc;
  s.unused_arc = s.arcs[k].next;
  s.arcs[k] = {cost, units, i, s.first_arc[j]};
  s.first_arc[j] = k;
}

void take_back(FlowState& s, int32_t i, int32_t j, int64_t units) {
  int32_t* link = &s.first_arc[j];
  while (s.arcs[*link].row != i) link = &s.arcs[*link].next;
  const int32_t k = *link;
  s.arcs[k].units -= units;
  if (s.arcs[k].units > 0) return;
  *link = s.arcs[k].next;
  s.arcs[k].next = s.unused_arc;
  s.unused_arc = k;
}

template <class T>
class FlowPath : PathSearch<T, FlowState, FlowPath<T>> {
  using Search = PathSearch<T, FlowState, FlowPath<T>>;
  friend Search;
  using Search::s, Search::settled_, Search::free_column_, Search::tree_;

 public:
  explicit FlowPath(FlowState& state) : Search(state) {}

  // Sends units of `root` along a shortest path to a column with room, as many as fit, and lowers
  // the duals so that complementary slackness holds. False if there is no such column.
  bool augment(int32_t root) {
    s.entry[root] = kRoot;
    this->scan(root, 0);
    const bool found = this->find_free_column();
    if (found) {
      this->lower_duals();
      push(root);
    }
    for (int32_t k = 0; k < tree_; ++k) s.entry[s.tree[k].row] = kNone;
    this->clear();
    return found;
  }

 private:
  bool is_free(int32_t j) const { return s.room[j] > 0; }

  void expand(int32_t j) {
    for (int32_t k = s.first_arc[j]; k != kNone; k = s.arcs[k].next) {
      const Arc& arc = s.arcs[k];
      if (s.entry[arc.row] != kNone) continue;
      s.entry[arc.row] = j;
      this->scan(arc.row, arc.cost - s.column_dual[j] - settled_);
    }
  }

  void push(int32_t root) {
    int64_t units = s.left[root] < s.room[free_column_] ? s.left[root] : s.room[free_column_];
    for (int32_t i = s.predecessor[free_column_]; i != root; i = s.predecessor[s.entry[i]]) {
      const int64_t sent = find_arc(s, i, s.entry[i])->units;
      units = sent < units ? sent : units;
    }
    s.left[root] -= units;
    s.room[free_column_] -= units;
    int32_t j = free_column_;
    while (true) {
      const int32_t i = s.predecessor[j];
      send(s, i, j, units, s.sign * double(cost_row<T>(s, i)[j]));
      if (i == root) return;
      j = s.entry[i];
      take_back(s, i, j, units);
    }
  }
};

// What a row would take of one column.
struct Share {
  double value;  // reduced cost
  double cost;
  int64_t units;
  int32_t column;
  bool whole;  // with what the row has of it already: all that the column takes
};

// The cheapest columns that a row needs for its units, and the reduced cost of the next unit.
struct Wish {
  Share shares[Candidates::kCapacity];
  int32_t count;
  double level;
  bool complete;  // false: the list of candidates was too short
};

Wish cheapest_columns(FlowState& s, int32_t i) {
  const Candidates& list = s.candidates[i];
  double values[Candidates::kCapacity + Candidates::kSlack];
  for (int32_t t = 0; t < list.count; t += kLanes) {
    D::store(values + t, D::load(list.cost + t) - D::gather(s.column_dual, list.column + t));
  }
  Wish wish;
  wish.count = 0;
  int64_t wanted = s.left[i];
  while (true) {
    int32_t best = 0;
    for (int32_t t = 1; t < list.count; ++t) best = values[t] < values[best] ? t : best;
    const double value = list.count > 0 ? values[best] : kInfinity;
    if (wanted == 0) {
      wish.level = value < list.bound ? value : list.bound;
      // Nothing else may take a unit: all that it has becomes as dear as the dearest.
      if (wish.level == kInfinity) wish.level = wish.shares[wish.count - 1].value;
      wish.complete = true;
      return wish;
    }
    if (value == kInfinity || value > list.bound || wish.count == Candidates::kCapacity) {
      wish.complete = false;
      return wish;
    }
    const int32_t j = list.column[best];
    const Arc* own = find_arc(s, i, j);
    const int64_t most = s.demand[j] - (own ? own->units : 0);
    const int64_t units = wanted < most ? wanted : most;
    wish.shares[wish.count++] = {value, list.cost[best], units, j, units == most};
    wanted -= units;
    if (units < most) {
      wish.level = value;
      wish.complete = true;
      return wish;
    }
    values[best] = kInfinity;
  }
}

// Takes a column away from all rows but one; rows that had all their units placed until now go to
// the stack of free rows.
void evict_others(FlowState& s, int32_t i, int32_t j, int32_t& free) {
  int32_t* link = &s.first_arc[j];
  while (*link != kNone) {
    Arc& arc = s.arcs[*link];
    if (arc.row == i) {
      link = &arc.next;
      continue;
    }
    if (s.left[arc.row] == 0) s.free_rows[free++] = arc.row;
    s.left[arc.row] += arc.units;
    s.room[j] += arc.units;
    const int32_t k = *link;
    *link = arc.next;
    arc.next = s.unused_arc;
    s.unused_arc = k;
  }
}

// Augmenting row reduction with several units per row: a free row takes its cheapest columns, those
// that it takes as a whole also from others, and lowers their duals until its next best is as good.
// Returns the number of rows still free.
template <class T>
int32_t reduce_rows(FlowState& s, int32_t free) {
  constexpr int kSweeps = 3;
  constexpr int64_t kStepsPerRow = 4;
  for (int sweep = 0; sweep < kSweeps && free > 0; ++sweep) {
    int64_t steps_left = kStepsPerRow * free + s.rows;
    int32_t still_free = 0;
    while (free > 0) {
      const int32_t i = s.free_rows[--free];
      if (steps_left-- <= 0) {
        s.next_free[still_free++] = i;
        continue;
      }
      count_work(s, Candidates::kCapacity);
      Wish wish = cheapest_columns(s, i);
      if (!wish.complete || wish.level == s.candidates[i].bound) {
        renew_candidates<T>(s, i);
        wish = cheapest_columns(s, i);
      }
      for (int32_t k = 0; k < wish.count; ++k) {
        const Share& share = wish.shares[k];
        const int32_t j = share.column;
        const double lowered = s.column_dual[j] - (wish.level - share.value);
        if (wish.complete && share.whole && wish.level < kInfinity && lowered < s.column_dual[j]) {
          evict_others(s, i, j, free);
          s.column_dual[j] = lowered;
        }
        if (!wish.complete) continue;
        const int64_t units = share.units < s.room[j] ? share.units : s.room[j];
        if (units == 0) continue;
        send(s, i, j, units, share.cost);
        s.room[j] -= units;
        s.left[i] -= units;
      }
      if (s.left[i] > 0) s.next_free[still_free++] = i;
    }
    int32_t* swap = s.free_rows;
    s.free_rows = s.next_free;
    s.next_free = swap;
    free = still_free;
  }
  return free;
}

void reset(FlowState& s) {
  reset_search(s);
  for (int32_t i = 0; i < s.rows; ++i) {
    s.left[i] = s.supply[i];
    s.entry[i] = kNone;
  }
  for (int32_t j = 0; j < s.cols; ++j) {
    s.room[j] = s.demand[j];
    s.first_arc[j] = kNone;
  }
}

template <class T>
FlowStatus solve(FlowState& s) {
  reset(s);
  if (!column_minima<T>(s)) return FlowStatus::invalid;
  int32_t free = 0;
  for (int32_t i = s.rows - 1; i >= 0; --i) {
    if (s.supply[i] > 0) s.free_rows[free++] = i;
  }
  free = reduce_rows<T>(s, free);
  for (int32_t k = 0; k < free; ++k) {
    const int32_t i = s.free_rows[k];
    while (s.left[i] > 0) {
      if (!FlowPath<T>(s).augment(i)) return FlowStatus::infeasible;
    }
  }
  return FlowStatus::optimal;
}

}  // namespace

extern const FlowKernels flow_kernels;
const FlowKernels flow_kernels = {&solve<float>, &solve<double>};

}  // namespace likewise::LIKEWISE_ISA

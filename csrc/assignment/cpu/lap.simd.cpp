#include "assignment/cpu/lap.h"

#include "assignment/cpu/path.simd.h"
#include "assignment/cpu/small.simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

void reset(LapState& s) {
  reset_search(s);
  for (int32_t i = 0; i < s.rows; ++i) s.col_of_row[i] = -1;
  for (int32_t j = 0; j < s.cols; ++j) s.row_of_col[j] = kFree;
}

struct Start {
  LapStatus status = LapStatus::optimal;  // as far as is known
  int32_t seen = 0;                       // rows looked at
  int32_t free = 0;                       // rows without a column, in free_rows
};

// Gives every row the column of its least reduced cost, unless an earlier row has it.
// Stops when more than `most_free` rows are left without.
template <class T>
Start assign_row_minima(LapState& s, int32_t most_free) {
  Start start;
  while (start.seen < s.rows && start.free <= most_free) {
    const int32_t i = start.seen++;
    const RowMinimum least = row_minimum<T>(s, i);
    if (!least.valid) return {LapStatus::invalid, start.seen, 0};
    if (least.column < 0) {
      start.status = LapStatus::infeasible;
    } else if (s.row_of_col[least.column] == kFree) {
      assign(s, i, least.column, s.sign * double(cost_row<T>(s, i)[least.column]));
    } else {
      s.free_rows[start.free++] = i;
    }
  }
  return start;
}

// Frees the rows from start.seen on and lists their candidates; the others stay as they are.
template <class T>
void free_other_rows(LapState& s, Start& start) {
  for (; start.seen < s.rows; ++start.seen) {
    if (!row_is_valid<T>(s, start.seen)) {
      start.status = LapStatus::invalid;
      return;
    }
    renew_candidates<T>(s, start.seen);
    s.free_rows[start.free++] = start.seen;
  }
}

// Starts anew from the column minima, all rows free.
template <class T>
void free_all_rows(LapState& s, Start& start) {
  reset(s);
  start = {column_minima<T>(s) ? LapStatus::optimal : LapStatus::invalid, s.rows, s.rows};
  for (int32_t i = 0; i < s.rows; ++i) s.free_rows[i] = i;
}

struct TwoSmallest {
  double first, second;
  int32_t position;  // of the first; -1 if it is infinite
};

TwoSmallest two_smallest(const LapState& s, const Candidates& list, double* values) {
  D::Vec first = D::fill(kInfinity), second = first;
  for (int32_t t = 0; t < list.count; t += kLanes) {
    const D::Vec x = D::load(list.cost + t) - D::gather(s.column_dual, list.column + t);
    D::store(values + t, x);
    second = D::min(second, D::max(first, x));
    first = D::min(first, x);
  }
  const double least = D::min_lane(first);
  uint64_t equal = 0;
  for (int32_t t = 0; t < list.count; t += kLanes) {
    equal |= D::bits(D::load(values + t) == D::fill(least)) << t;
  }
  const D::Mask lanes = first == D::fill(least);
  const bool tie = (equal & (equal - 1)) != 0;
  const double next = tie ? least : D::min_lane(lanes ? second : first);
  return {least, next, least < kInfinity ? __builtin_ctzll(equal) : -1};
}

// Augmenting row reduction: a free row takes the column of its least reduced cost and lowers that
// column's dual until its second best is as good; a row that lost its column goes next.
// Returns the number of rows still free.
template <class T>
int32_t reduce_rows(LapState& s, int32_t free) {
  constexpr int kSweeps = 3;
  constexpr int64_t kStepsPerRow = 3;
  double values[Candidates::kCapacity];
  for (int sweep = 0; sweep < kSweeps && free > 0; ++sweep) {
    int64_t steps_left = kStepsPerRow * free + s.rows;
    int32_t next = 0, still_free = 0;
    while (next < free) {
      const int32_t i = s.free_rows[next++];
      Candidates& list = s.candidates[i];
      TwoSmallest least = two_smallest(s, list, values);
      if (least.second > list.bound) {
        renew_candidates<T>(s, i);
        least = two_smallest(s, list, values);
      }
      count_work(s, Candidates::kCapacity);
      if (least.position < 0) {
        s.next_free[still_free++] = i;
        continue;
      }
      int32_t position = least.position;
      const double second = least.second < list.bound ? least.second : list.bound;
      const double dual = s.column_dual[list.column[position]];
      const double lowered = dual - (second - least.first);
      const bool lower = second < kInfinity && lowered < dual;
      if (lower) {
        s.column_dual[list.column[position]] = lowered;
      } else {  // a tie: better one that nobody has
        for (int32_t t = position; t < list.count; ++t) {
          if (values[t] == least.first && s.row_of_col[list.column[t]] == kFree) {
            position = t;
            break;
          }
        }
      }
      const int32_t j = list.column[position];
      const int32_t loser = s.row_of_col[j];
      assign(s, i, j, list.cost[position]);
      if (loser == kFree) continue;
      s.col_of_row[loser] = -1;
      if (lower && steps_left > 0) {
        --steps_left;
        s.free_rows[--next] = loser;
      } else {
        s.next_free[still_free++] = loser;
      }
    }
    int32_t* swap = s.free_rows;
    s.free_rows = s.next_free;
    s.next_free = swap;
    free = still_free;
  }
  return free;
}

// A warm start of a rectangular problem may leave columns free whose dual is not the largest.
// They take part in further paths, from an imaginary row of zero costs for all surplus columns.
template <class T>
void settle_surplus(LapState& s) {
  double level = 0;  // the largest dual
  int32_t unsettled = 0;
  for (int32_t j = 0; j < s.cols; ++j) {
    if (s.row_of_col[j] != kFree) continue;
    if (s.column_dual[j] == level) {
      s.row_of_col[j] = kSurplus;
    } else {
      ++unsettled;
    }
  }
  for (; unsettled > 0; --unsettled) ShortestPath<T>(s).augment_surplus(level);
  for (int32_t j = 0; j < s.cols; ++j) {
    const double dual = s.column_dual[j] - level;
    s.column_dual[j] = dual < 0 ? dual : 0;
  }
}

template <class T>
LapStatus solve(LapState& s, bool warm) {
  if (s.cols <= SmallProblem<T>::kMost) return SmallProblem<T>(s).solve(warm);
  const bool square = s.rows == s.cols;
  if (!warm) {
    for (int32_t j = 0; j < s.cols; ++j) s.column_dual[j] = 0;
  }
  reset(s);
  // If few rows want the same columns, the duals (zeros, unless warm) are nearly optimal.
  Start start = assign_row_minima<T>(s, s.rows / 8);
  if (start.status != LapStatus::invalid && start.seen < s.rows) {
    if (warm || !square) {  // columns that stay free need equal duals: their minima will not do
      free_other_rows<T>(s, start);
    } else {
      free_all_rows<T>(s, start);
    }
  }
  if (start.status != LapStatus::optimal) return start.status;
  const int32_t free = reduce_rows<T>(s, start.free);
  for (int32_t k = 0; k < free; ++k) {
    if (!ShortestPath<T>(s).augment(s.free_rows[k])) return LapStatus::infeasible;
  }
  if (warm && !square) settle_surplus<T>(s);
  return LapStatus::optimal;
}

template <class T>
void row_duals(SearchState& s, double* row_dual) {
  for (int32_t i = 0; i < s.rows; ++i) row_dual[i] = row_minimum<T>(s, i).value;
}

}  // namespace

extern const LapKernels lap_kernels;
const LapKernels lap_kernels = {&solve<float>, &solve<double>, &row_duals<float>,
                                &row_duals<double>};

}  // namespace likewise::LIKEWISE_ISA

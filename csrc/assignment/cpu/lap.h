#pragma once

#include <stdint.h>

#include "core/isa.h"

// The assignment solver of one instruction set, shared with cpu/*.simd.cpp: plain data only.
// Jonker & Volgenant (1987), "A shortest augmenting path algorithm for dense and sparse linear
// assignment problems", with two changes:
// - Costs are stored in float or double, all arithmetic is in double. A float problem is therefore
//   solved as exactly as a double one, and its scans are bound by memory rather than conversion.
// - Column duals only fall, so reduced costs only rise. A row's few smallest reduced costs, kept as
//   a list with a lower bound for everything else, thus stay exact until the bound is reached; only
//   then is the dense row read again. Most rows are read twice or three times in all.

namespace likewise {

// The kept entries of one row. `bound` is a lower bound of the reduced cost of every other entry.
struct Candidates {
  static constexpr int kCapacity = 32;
  static constexpr int kSlack = 8;  // written before an overflow is noticed
  double cost[kCapacity + kSlack];
  int32_t column[kCapacity + kSlack];
  double bound;
  int32_t count;  // a multiple of the lanes, filled up with infinite costs
  int32_t wide;   // the list was of no help when it was last renewed
};

// A row in the tree of shortest paths. Unlisted entries of the row lead to distances of at least
// `bound`; an entry's distance is its reduced cost minus `base`.
struct TreeRow {
  double base;
  double bound;
  int32_t row;
  int32_t renewed;
};

// Rows of costs to be minimised, sign * cost[i * row_stride + j] with sign = 1 or -1, and what the
// search for a shortest path over reduced costs keeps. +infinity (after the sign) forbids a pair.
struct SearchState {
  const void* cost;
  int64_t row_stride;
  double sign;
  int32_t rows, cols;
  void (*poll)();  // called at least every few milliseconds; may throw
  int64_t work;    // since the last poll

  double* column_dual;  // [cols]: a result, and the warm start

  // Workspace; [blocks] is cols / 16 rounded up, plus kPadding.
  static constexpr int kPadding = 16;
  Candidates* candidates;  // [rows]
  TreeRow* tree;           // [rows + 1]
  double* distance;        // [cols]
  double* key;             // [cols + kPadding]: distance of open columns, else infinity
  double* key_min;         // [blocks]: minima of 16 keys
  double* block_min;       // [cols + kPadding]
  int32_t* predecessor;    // [cols]
  int32_t* touched;        // [cols + 1]
  int32_t* closed;         // [cols]
};

// One assignment problem: rows <= cols. column_dual is at most its value at unassigned columns.
struct LapState : SearchState {
  int32_t* col_of_row;   // [rows]: a result
  int32_t* row_of_col;   // [cols]: a result, negative if unassigned
  double* matched_cost;  // [rows]
  int32_t* free_rows;    // [rows]
  int32_t* next_free;    // [rows]
};

enum class LapStatus : int32_t { optimal, infeasible, invalid };

struct LapKernels {
  // Fills the results. `warm` starts from the given column duals, which any finite values are.
  // invalid: a cost is NaN or, after the sign, -infinity.
  LapStatus (*solve_float)(LapState& state, bool warm);
  LapStatus (*solve_double)(LapState& state, bool warm);
  // row_dual[i] = min over j of sign * cost(i, j) - column_dual[j].
  void (*row_duals_float)(SearchState& state, double* row_dual);
  void (*row_duals_double)(SearchState& state, double* row_dual);
};

LIKEWISE_KERNEL_TABLE(LapKernels, lap_kernels)

}  // namespace likewise

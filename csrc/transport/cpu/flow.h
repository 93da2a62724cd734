#pragma once

#include <stdint.h>

#include "assignment/cpu/lap.h"

// The transport solver of one instruction set, shared with cpu/*.simd.cpp: plain data only.
// Successive shortest paths over the reduced costs of Jonker and Volgenant's assignment solver
// (assignment/cpu/lap.h), with rows that send and columns that take whole numbers of units.

namespace likewise {

// Units that a row sends to the column in whose list this is.
struct Arc {
  double cost;
  int64_t units;
  int32_t row;
  int32_t next;  // in the list of the column, or of unused arcs; -1 ends it
};

// One problem. Supplies and demands are at least 0 and have the same sum; rows <= cols.
struct FlowState : SearchState {
  const int64_t* supply;  // [rows]
  const int64_t* demand;  // [cols]

  // Results: the arcs of every column, from first_arc[column] on.
  int32_t* first_arc;  // [cols]
  Arc* arcs;

  int64_t* left;             // [rows]: units not sent yet
  int64_t* room;             // [cols]: units not taken yet
  int32_t* entry;            // [rows]: the column by which a row came into the tree of paths
  int32_t* free_rows;        // [rows]
  int32_t* next_free;        // [rows]
  int32_t unused_arc;        // first of a list
  void (*grow)(FlowState&);  // makes more unused arcs; `arcs` may move
  void* solver;              // whose arcs they are
};

enum class FlowStatus : int32_t { optimal, infeasible, invalid };

struct FlowKernels {
  // Fills first_arc, arcs and column_dual. invalid: a cost is NaN or, after the sign, -infinity.
  FlowStatus (*solve_float)(FlowState& state);
  FlowStatus (*solve_double)(FlowState& state);
};

LIKEWISE_KERNEL_TABLE(FlowKernels, flow_kernels)

}  // namespace likewise

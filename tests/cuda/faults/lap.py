"""Faults in assignment/cuda/lap.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("two steps share one half of the partial results", "parity ^= 1;", ""),
    (
        "rows overwrite each other's claim",
        "atomicMin(&p.row_of_column[best.key], i)",
        "p.row_of_column[best.key] = i",
    ),
    (
        "rows of columns take the room of rows",
        "p.row_of_column = arena.take<int>(cols)",
        "p.row_of_column = arena.take<int>(rows)",
    ),
    ("host asks for too little", ".add<short>(cols)\n      .add<short>(rows)", ""),
    (
        "columns one too far",
        "for (int j = thread, k = 0; j < cols; j += threads, ++k) {\n      if",
        "for (int j = thread, k = 0; j <= cols; j += threads, ++k) {\n      if",
    ),
    ("the row behind", "cost + size_t(row) * cols;", "cost + size_t(row + 1) * cols;"),
    ("distances never start", "p.distance[j] = INFINITY;", ";"),
    (
        "half a warp in the mask",
        "__shfl_xor_sync(kAllLanes, best.distance, step)",
        "__shfl_xor_sync(0x0000ffffu, best.distance, step)",
    ),
    (
        "threads without a column leave",
        "  SharedArena arena;",
        "  if (thread >= cols) return;\n  SharedArena arena;",
    ),
    ("problems share a place of the output", "p, out.cost + problem", "p, out.cost"),
    (
        "wrong step between problems",
        "costs + problem * rows * cols",
        "costs + problem * rows * rows",
    ),
    ("scanned columns are scanned again", "if (scanned >> k & 1) continue;", ""),
    ("ties go to the highest column", "a.key < b.key", "a.key > b.key"),
    (
        "duals of scanned columns stay",
        "if (scanned >> k & 1) p.column_dual[j] +=",
        "if (false) p.column_dual[j] +=",
    ),
    ("the last failure is kept", "atomicMin(out.failure", "atomicMax(out.failure"),
    (
        "pairs of a tall matrix in any order",
        "written + __popc(all & ((1u << thread) - 1))",
        "written + __popc(all >> thread) - 1",
    ),
    ("the next tile overwrites the last", "written += __popc(all);", ""),
    (
        "least reduced cost of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const double other",
        "for (int step = 8; step > 0; step /= 2) {\n      const double other",
    ),
    ("slacks summed by one lane", "slack = warp_sum(slack);", ""),
    ("costs summed by one lane", "sum = warp_sum(sum);", ""),
    ("NaN is no fault", "invalid |= !(c > -INFINITY);", "invalid |= c == -INFINITY;"),
    ("columns left over have duals", "rows == cols && least < INFINITY", "least < INFINITY"),
)

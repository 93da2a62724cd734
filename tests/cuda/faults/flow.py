"""Faults in transport/cuda/flow.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "two rows take one place in the tree",
        "p.tree[atomicAdd(p.in_tree, 1)] = short(i);",
        "p.tree[(*p.in_tree)++] = short(i);",
    ),
    ("rows of the tree enter it again", " || p.entry[i] != kNone) continue;", ") continue;"),
    (
        "rows one too far",
        "for (int i = thread; i < p.rows; i += threads) {\n      if",
        "for (int i = thread; i <= p.rows; i += threads) {\n      if",
    ),
    (
        "columns one too far",
        "for (int j = int(threadIdx.x), k = 0; j < p.cols; j += int(blockDim.x), ++k) {\n"
        "    if (scanned >> k & 1) continue;\n    const double",
        "for (int j = int(threadIdx.x), k = 0; j <= p.cols; j += int(blockDim.x), ++k) {\n"
        "    if (scanned >> k & 1) continue;\n    const double",
    ),
    (
        "scanned columns are scanned again",
        "if (scanned >> k & 1) continue;\n    const Nearest",
        "const Nearest",
    ),
    ("full columns have room", "int(p.room[j] == 0) << kFullBit | j", "j"),
    ("a path takes more than there is", "units = sent < units ? sent : units;", ""),
    ("a column takes more than it can", "most < p.room[sink] ? most : p.room[sink]", "most"),
    ("columns never fill", "p.room[sink] = short(p.room[sink] - units);", ""),
    ("nothing is taken back", "p.sent(i, j) = short(p.sent(i, j) - units);", ""),
    ("distances of the last search", "p.distance[j] = INFINITY;", ""),
    (
        "rows stay in the tree",
        "for (int i = thread; i < p.rows; i += threads) p.entry[i] = i == root ? kRoot : kNone;",
        "if (thread == 0) p.entry[root] = kRoot;",
    ),
    (
        "duals of scanned columns stay",
        "if (scanned >> k & 1) p.column_dual[j] +=",
        "if (false) p.column_dual[j] +=",
    ),
    ("NaN is no fault", "invalid |= !(c > -INFINITY);", "invalid |= c == -INFINITY;"),
    ("units of an earlier use", "k += blockDim.x) p.units[k] = 0;", "k += blockDim.x) continue;"),
    ("host asks for too little", "      .add<short>(rows)\n      .add<short>(rows)\n", ""),
    (
        "room of columns takes that of rows",
        "p.room = arena.take<short>(p.cols);",
        "p.room = arena.take<short>(p.rows);",
    ),
    (
        "problems share a place of the output",
        "out.cost[problem] = total * unit",
        "out.cost[0] = total * unit",
    ),
    ("wrong step between problems", "costs + problem * size", "costs + problem * rows * rows"),
    (
        "least reduced cost of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const double other",
        "for (int step = 8; step > 0; step /= 2) {\n      const double other",
    ),
    ("slack of single units", "sum += double(units) * value(i, j)", "sum += value(i, j)"),
    ("the last failure is kept", "atomicMin(out.failure", "atomicMax(out.failure"),
    (
        "duals of the wrong sign",
        "row_dual[i] = double(p.sign) * p.distance[i]",
        "row_dual[i] = p.distance[i]",
    ),
)

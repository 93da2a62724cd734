"""Faults in moments/cuda/moments.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("samples one too far", "row < count; row += warps", "row <= count; row += warps"),
    ("the last sample is left out", "row < count; row += warps", "row < count - 1; row += warps"),
    ("columns one too far", "j < cols; j += 32", "j <= cols; j += 32"),
    ("norms of one lane", "squares = warp_sum(squares);", ""),
    ("every lane writes", "if (lane > 0) continue;", "if (lane > 1) continue;"),
    ("rows as if all were taken", "x[row * stride + j]", "x[row * cols + j]"),
    ("from the first sample on", "x + rows.first * cols, cols", "x, cols"),
    ("norms of the first item", "to[1 + number] = squares;", "to[1] = squares;"),
    ("blocks do the same samples", "int64_t(blockIdx.x) * (blockDim.x >> 5) +", ""),
)

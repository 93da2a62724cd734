"""Faults in core/cuda/centred.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("NaN is not the largest", "a > b || !(a == a) ? a : b", "a > b ? a : b"),
    (
        "columns outside have a spread",
        "if (inside && threadIdx.y == 0) spreads[",
        "if (threadIdx.y == 0) spreads[",
    ),
    (
        "rows of the first item",
        "const size_t begin = item * rows * cols + (inside",
        "const size_t begin = (inside",
    ),
    (
        "half of the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n    value = Op::of(",
        "for (int step = 8; step > 0; step /= 2) {\n    value = Op::of(",
    ),
    (
        "spreads of the first columns",
        "k < cols; k += kColumns * kStripes",
        "k < cols && k < kColumns * kStripes; k += kColumns * kStripes",
    ),
    (
        "spreads one too far",
        "k < cols; k += kColumns * kStripes",
        "k <= cols; k += kColumns * kStripes",
    ),
    ("every block counts", "blockIdx.x == 0 && thread == 0", "thread == 0"),
    ("the wrong way round", ": -exponent", ": exponent"),
    ("infinity has a scale", "if (!(largest < INFINITY)) return NAN;", ""),
    ("always centred", "i < rows && center; i", "i < rows; i"),
    ("columns outside are written", "if (inside) to.out[begin", "to.out[begin"),
    ("squares of one stripe", "squares = over_stripes<Sum>(squares, shared);", ""),
    (
        "squares of the first item",
        "squares += centred.squares[item * cols + k];",
        "squares += centred.squares[k];",
    ),
    ("norm of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    ("zeros are divided by", "if (!constant) out[k]", "out[k]"),
    ("elements one too far", "k < size; k += step", "k <= size; k += step"),
    ("norms of scaled data", "norm / centred.unit[item]", "norm"),
)

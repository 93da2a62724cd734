"""Faults in inference/cuda/draws.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("equal is not as extreme, above", "null[k] >= bound", "null[k] > bound"),
    ("equal is not as extreme, below", "null[k] <= bound;", "null[k] < bound;"),
    (
        "one score too far",
        "k < count; k += blockDim.x) {\n    extreme",
        "k <= count; k += blockDim.x) {\n    extreme",
    ),
    (
        "only as many scores as threads",
        "k += blockDim.x) {\n    extreme",
        "k += count) {\n    extreme",
    ),
    ("extreme ones of one thread", "extreme = block_sum(extreme, partial);", ""),
    ("no number has a p-value", "bound == bound ?", "true ?"),
    ("one draw too far to place", "k < count; k += step", "k <= count; k += step"),
    ("what is no number has a place", "if (!(value == value)) continue;", ""),
    ("one draw too far to compare with", "j < count; ++j", "j <= count; ++j"),
    ("equal draws share a place", "(other == value && j < k)", "false"),
    ("equal draws hide each other", "other == value && j < k", "other == value && j <= k"),
    ("no way to the next one", "(sorted[below + 1] - sorted[below])", "0"),
    ("places from one", "share * double(count - 1)", "share * double(count)"),
    (
        "one too far to count",
        "k < count; k += blockDim.x) kept",
        "k <= count; k += blockDim.x) kept",
    ),
    ("numbers of one thread", "kept = block_sum(kept, partial);", ""),
    (
        "one number too far for the mean",
        "k < numbers; k += blockDim.x) sum",
        "k <= numbers; k += blockDim.x) sum",
    ),
    ("mean of one thread", "block_sum(sum, partial) / kept", "sum / kept"),
    (
        "one number too far for the squares",
        "k < numbers; k += blockDim.x) {\n    squares",
        "k <= numbers; k += blockDim.x) {\n    squares",
    ),
    ("squares of one thread", "squares = block_sum(squares, partial);", ""),
    ("of a population", "squares / (kept - 1)", "squares / kept"),
    ("one number is enough", "numbers >= 2", "numbers >= 1"),
)

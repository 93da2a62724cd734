"""Faults in inference/cuda/draws.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("ties are less extreme, above", "excess >= -tie", "excess > tie"),
    ("ties are less extreme, below", "excess <= tie;", "excess < -tie;"),
    ("extreme ones of one thread", "extreme = block_sum(extreme, partial);", ""),
    ("the given order twice", "how.exact ? extreme / double(count)", "false ? 0.0"),
    ("no number has a p-value", "bound == bound ?", "true ?"),
    ("numbers of one thread", "kept = block_sum(kept, partial);", ""),
    ("mean of one thread", "block_sum(sum, partial) / kept", "sum / kept"),
    ("squares of one thread", "squares = block_sum(squares, partial);", ""),
    ("more than pairs", "fmin(share, 0.5)", "share"),
    ("never bounded", "how.scaled == Scaled::arctanh && fabs(centre) < 1", "false"),
    ("no range below", "fmax(low, how.low)", "low"),
    ("no range above", "fmin(high, how.high)", "high"),
)

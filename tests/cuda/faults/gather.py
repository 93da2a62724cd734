"""Faults in core/cuda/gather.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("one element too far", "k < size;", "k <= size;"),
    ("rows as they are", "x[rows[row] * cols", "x[row * cols"),
    ("the first element of each row", "(k - row * cols)", "0"),
)

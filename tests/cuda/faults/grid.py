"""Faults in core/cuda/grid.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("one score too far", "j < i;", "j <= i + 1;"),
    (
        "upper from lower",
        "scores[i * count + j] = scores[j * count + i]",
        "scores[j * count + i] = scores[i * count + j]",
    ),
    ("only as many as threads", "j += blockDim.x", "j += count"),
)

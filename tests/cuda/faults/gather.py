"""Faults in core/cuda/gather.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("one element too far", "k < size;", "k <= size;"),
    ("rows as they are", "from[order[row] * cols", "from[row * cols"),
    ("the first element of each row", "(k - row * cols)", "0"),
    ("rows of the first item", "x + item * rows * cols", "x"),
    ("all to the first item", "out + item * size", "out"),
    ("items are as long as what is taken", "x + item * rows * cols", "x + item * size"),
    ("an item too many", "item < items;", "item <= items;"),
    ("no items beyond those side by side", "item += gridDim.y", "item += items"),
)

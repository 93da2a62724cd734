"""Faults in linalg/cuda/products.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("the last part is left out", "part < parts; ++part", "part < parts - 1; ++part"),
    ("sums one too far", "k < size; k += step", "k <= size; k += step"),
    ("what was there is forgotten", "double sum = total[k];", "double sum = 0;"),
)

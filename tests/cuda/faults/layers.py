"""Faults in network/cuda/layers.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "units one too far",
        "k < size; k += step) {\n    const int64_t row",
        "k <= size; k += step) {\n    const int64_t row",
    ),
    ("the unit before the first", "from < 0 ? T(NAN) : ", ""),
    ("nothing of the first unit", "from < 0 ? T(NAN)", "from < 1 ? T(NAN)"),
    ("the first group of units for all", "row - unit + ", "0 + "),
    ("one entry of a unit for all", "inner + (k - row * inner)", "inner + 0"),
    ("units do not repeat", "unit = row % units", "unit = row"),
    (
        "means one too far",
        "k < size; k += step) {\n    out[k] = T((1",
        "k <= size; k += step) {\n    out[k] = T((1",
    ),
    ("shares change sides", "(1 - share) * double(a[k])", "share * double(a[k])"),
    ("the first for both", "share * double(b[k])", "share * double(a[k])"),
)

"""Faults in units/cuda/similarity.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "correlations one too far",
        "k < size; k += step) {\n    const T value",
        "k <= size; k += step) {\n    const T value",
    ),
    ("no upper limit", "value > 1 ? T(1) : value", "value"),
    ("no lower limit", "value < -1 ? T(-1) : value", "value"),
    ("NaN is limited", "value > 1 ? T(1)", "!(value <= 1) ? T(1)"),
    (
        "weights one too far",
        "k < size; k += step) {\n    const double weight",
        "k <= size; k += step) {\n    const double weight",
    ),
    ("weights have a sign", "fabs(values[k])", "values[k]"),
    ("no limit of weights", "weight > 1 ? 1 : weight", "weight"),
    ("units are their own neighbours", "k % (units + 1) == 0 ? 0 : ", ""),
    ("a diagonal of another width", "k % (units + 1)", "k % units"),
)

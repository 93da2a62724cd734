"""Faults in linalg/cuda/cholesky.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("panels are whole", "d - first < kPanel ? d - first : kPanel", "kPanel"),
    ("the first matrix", "a = all + item * d * d;", "a = all;"),
    ("to the first matrix", "l = out + item * d * d;", "l = out;"),
    ("products of the first", "products + item * (d - first) * width", "products"),
    ("earlier columns are forgotten", "(earlier ? earlier[i * width + j] : 0)", "0"),
    ("rows one too far", "row >= k && row < width", "row >= k && row <= width"),
    ("columns of the panel are forgotten", "t < k && below; ++t", "t < k - 1 && below; ++t"),
    ("rows below one too far", "  if (i >= d - first) return;\n", ""),
    ("what lies above is written", "k < width && k <= i; ++k", "k < width; ++k"),
    ("rows below have no panel", "t < k; ++t) value -= solved", "t < k - 1; ++t) value -= solved"),
    ("not divided", "solved[k] = value / roots[k];", "solved[k] = value;"),
    ("faults of the first", "(indefinite + item), 1ull", "(indefinite), 1ull"),
    ("faults unseen", "!(roots[i] > 0)", "roots[i] < 0"),
    (
        "a plain store of faults",
        "atomicAdd(reinterpret_cast<unsigned long long*>(indefinite + item), 1ull);",
        "indefinite[item] += 1;",
    ),
)

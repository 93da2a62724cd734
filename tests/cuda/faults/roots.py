"""Faults in rsa/cuda/roots.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("moments of the first item", "moments.data + item * moments.size", "moments.data"),
    ("norms of the first item", "1 / moments.factors[item]", "1 / moments.factors[0]"),
    ("to the first matrix", "row = out + (item * n + i) * n", "row = out + i * n"),
    (
        "moments one too far",
        "j < n; j += blockDim.x) {\n    const int64_t low",
        "j <= n; j += blockDim.x) {\n    const int64_t low",
    ),
    ("one triangle alone", "low = i < j ? i : j", "low = i"),
    ("no shift", "moment + norm", "moment"),
    ("pairs count once", "moment / sqrt(2.0)", "moment"),
    ("what has no factor has moments", "norm > 0 ? shifted : 0", "shifted"),
    ("factors of the first item", "norm = 1 / factors[item]", "norm = 1 / factors[0]"),
    ("roots of the first item", "row = roots + (item * n + i) * n", "row = roots + i * n"),
    (
        "roots one too far",
        "j < n; j += blockDim.x) {\n    const double value",
        "j <= n; j += blockDim.x) {\n    const double value",
    ),
    ("values of the first item", "values[item * n + j] - norm", "values[j] - norm"),
    ("vectors of the first item", "vectors[(item * n + j) * n + i]", "vectors[j * n + i]"),
    ("rounding is kept", "2 * double(n) * kEpsilon * norm", "0"),
    ("pairs one too far", "  if (pair >= count) return;\n", ""),
    ("the first side is not looked at", "factors_a[items.a] > 0 && ", ""),
    ("the second side is not looked at", " && factors_b[items.b] > 0", ""),
    ("never squared", "squared ? score * score : score", "score"),
)

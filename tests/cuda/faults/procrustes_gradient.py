"""Faults in procrustes/cuda/procrustes_gradient.cu for mutate.py: what it is, the text, what it
becomes."""

_GRID = "int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {\n    "

FAULTS = (
    ("the largest of one more", "k < rank; ++k) largest", "k <= rank; ++k) largest"),
    ("nothing is rounding", "kEpsilon * largest;\n}", "0 * largest;\n}"),
    (
        "values one too far",
        "k < s.rank; k += blockDim.x) {\n    const double value",
        "k <= s.rank; k += blockDim.x) {\n    const double value",
    ),
    ("rounding is reshaped", "if (value <= least) reshaped = 0;", ""),
    ("values of unit norm", "value <= least ? 0 : value * *s.norm", "value <= least ? 0 : value"),
    ("norm of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    (
        "scaled one too far",
        "k < s.rank; k += blockDim.x) {\n    if (norm",
        "k <= s.rank; k += blockDim.x) {\n    if (norm",
    ),
    ("constant items divide by 0", "if (norm > 0) s.scaled[k]", "s.scaled[k]"),
    ("every thread writes the norm", "if (threadIdx.x == 0) *s.z_norm", "*s.z_norm"),
    ("directions one too far", "k < d.rank; k += blockDim.x", "k <= d.rank; k += blockDim.x"),
    ("every direction is kept", "rounding ? 0 : 1", "1"),
    ("similarity of one thread", "sum = block_sum(sum, partial);", ""),
    ("every thread writes the similarity", "if (threadIdx.x == 0) *d.similarity", "*d.similarity"),
    (
        "congruent items unscaled",
        "if (!(distance <= kRoundingUnits * kEpsilon * largest)) {",
        "{",
    ),
    ("congruent items", "} else if (!(sqrt(2 * gap) <= kRoundingUnits * kEpsilon)) {", "} else {"),
    ("no norm is a norm", "if (!usable) by_similarity = NAN;", "if (!usable) by_similarity = 0;"),
    ("items keep their norm", "-of_x * *r.similarity", "0"),
    ("norms do not matter", "by_norm_y / norm_y", "0"),
    (
        "combined one too far",
        _GRID + "out[k] = by.rotated",
        _GRID.replace("<", "<=") + "out[k] = by.rotated",
    ),
    ("data one too far", _GRID + "out[k] += factor", _GRID.replace("<", "<=") + "out[k] += factor"),
    (
        "turned one too far",
        "j < rank; j += blockDim.x) {\n    const double own = within",
        "j <= rank; j += blockDim.x) {\n    const double own = within",
    ),
    ("turned as it is", "within[j * rank + i]", "within[i * rank + j]"),
    ("missing values turn", "values[i] != 0 && values[j] != 0", "true"),
    (
        "unshaped one too far",
        "j < rank; j += blockDim.x) {\n    const double own = gradient",
        "j <= rank; j += blockDim.x) {\n    const double own = gradient",
    ),
    ("the first row alone", "int64_t(blockIdx.x) * rank;", "0 * rank;"),
    ("missing values divide", "value != 0 ? own / value : 0 * own", "own / value"),
)

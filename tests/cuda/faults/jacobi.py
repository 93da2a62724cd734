"""Faults in linalg/cuda/jacobi.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("infinity is finite", "finite = finite && value < INFINITY;", ""),
    ("largest of one warp", "largest = partial[w] > largest ? partial[w] : largest;", ""),
    ("products of one lane", "gamma = warp_sum(gamma);", ""),
    ("the wrong way round", "zeta < 0 ? T(-1) : T(1)", "zeta < 0 ? T(1) : T(-1)"),
    ("right vectors are not turned", "rotate(right_p, right_q, n);", ""),
    ("rounding errors have a direction", "norm * norm > negligible", "norm * norm > 0"),
    (
        "a pair plays itself",
        "round - k + (players - 1) : round - k",
        "round - k + players : round - k",
    ),
    ("the pausing column is turned", "if (q >= n) continue;", ""),
    ("nothing is completed", "if (svd.values[item * n + j] != 0) continue;", "continue;"),
    ("products with half the columns", "first < n; first += 32", "first < n / 2; first += 32"),
    ("its own product", "first + k == j ? T(0) : product", "product"),
    (
        "completed once",
        "for (int pass = 0; pass < 2; ++pass)",
        "for (int pass = 0; pass < 0; ++pass)",
    ),
    ("the most used unit vector", "column[i] < column[least]", "column[i] > column[least]"),
    ("failures are not told", "atomicMin(svd.failure", "atomicMax(svd.failure"),
    ("lengths of one lane", "sqrt(warp_sum(sum))", "sqrt(sum)"),
    ("values stay scaled", "norm * scale : T(0)", "norm : T(0)"),
    ("equal values share a place", "(from[k] == from[j] && k < j)", "false"),
    ("ascending", "rank += from[k] > from[j]", "rank += from[k] < from[j]"),
    ("sum of one thread", "sum = block_sum(sum, partial);", ""),
    ("rows one too far", "k < total; k += step", "k <= total; k += step"),
    ("one factor for all", "values[k / m]", "values[0]"),
)

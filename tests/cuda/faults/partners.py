"""Faults in units/cuda/partners.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("rows outside", "if (row >= rows) return;  // for whole warps", ""),
    ("columns one too far", "j < cols; j += 32", "j <= cols; j += 32"),
    ("best of half the lanes", "int step = 16; step > 0", "int step = 8; step > 0"),
    (
        "the last of equal partners",
        "other == best && there < where",
        "other == best && there > where",
    ),
    (
        "a partner of NaN",
        "out.greedy[row] = where < cols ? where : -1;",
        "out.greedy[row] = where;",
    ),
    ("a similarity of NaN", "where < cols ? double(best) : double(NAN)", "double(best)"),
    ("every lane writes", "if (lane > 0) return;", ""),
    ("counts start undefined", "if (row == 0) out.counts[0] = out.counts[1] = 0;", ""),
    (
        "the sum of matched starts undefined",
        "out.counts[0] = out.counts[1] = 0",
        "out.counts[1] = 0",
    ),
    ("no partner is not said", "out.one_to_one[row] = -1;", ""),
    ("no similarity is not said", "out.one_to_one_similarity[row] = NAN;", ""),
    ("a pair beyond the last", "if (k >= pairs || ", "if (k > pairs || "),
    ("no pair is one", "k >= pairs || row_ind[k] < 0", "k >= pairs"),
    ("above the threshold", "found >= threshold", "found > threshold"),
    ("matched by a plain store", "atomicAdd(counts, 1ull)", "*counts += 1"),
    ("equal partners by a plain store", "atomicAdd(counts + 1, 1ull)", "counts[1] += 1"),
    ("all partners are equal", "if (out.greedy[row] == column) ", ""),
)

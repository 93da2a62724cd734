"""Faults in cca/cuda/variates.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "equal values before each other",
        "values[j] == values[k] && j < k",
        "values[j] == values[k] && j <= k",
    ),
    ("equal values share a place", " || (values[j] == values[k] && j < k)", ""),
    (
        "one value too far",
        "for (int64_t j = 0; j < size; ++j)",
        "for (int64_t j = 0; j <= size; ++j)",
    ),
    ("rank of x alone", "return x < y ? x : y;", "return x;"),
    ("rank of y alone", "return x < y ? x : y;", "return y;"),
    ("every pair has the first one's ranks", "ranks.y[pair * ranks.step_y]", "ranks.y[0]"),
    ("every pair has the first one's x", "ranks.x[pair * ranks.step_x]", "ranks.x[0]"),
    (
        "no largest value",
        "largest = values[k] > largest ? values[k] : largest;",
        "largest = values[k];",
    ),
    ("constant units have variance", "w.cols - w.constant_units[item]", "w.cols"),
    ("rounding counts", "s > least && needed", "s > 0 && needed"),
    ("all variance counts", "s > least && needed", "s > least"),
    ("values beyond the last", "    if (k < w.rank) {", "    if (k <= w.rank) {"),
    ("values of one round", "first += blockDim.x", "first += w.rank"),
    (
        "rank of one thread",
        "  rank = block_sum(rank, partial);  // its barrier: all values have been read\n",
        "  __syncthreads();\n",
    ),
    ("weights one too far", "k < w.rank; k += blockDim.x", "k <= w.rank; k += blockDim.x"),
    ("no ridge", "ridge > 0 ? s / sqrt(s * s + ridge) : 1", "1"),
    ("means one too far", "k < ranks.count; k += step", "k <= ranks.count; k += step"),
    ("nothing is beyond the rank", "place < rank ? found", "place < size ? found"),
    ("leading ones too far", "k < total; k += step", "k <= total; k += step"),
    (
        "all correlations have weight",
        "if (before(rho, found.size, r).number >= rank) continue;  // a whole warp",
        "",
    ),
    ("projections one too far", "j < found.units; j += 32", "j <= found.units; j += 32"),
    ("weight of one lane", "    weight = warp_sum(weight);\n", ""),
    ("sum of one thread", "  sum = block_sum(sum, partial);\n", ""),
    ("weights of one thread", "  total = block_sum(total, partial);\n", ""),
)

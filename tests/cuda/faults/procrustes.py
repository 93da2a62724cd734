"""Faults in procrustes/cuda/procrustes.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("rounding has a direction", "value > least ? r.alpha", "value > 0 ? r.alpha"),
    ("values in no units", "(value * r.norms[item])", "value"),
    ("constant units count", "r.cols - r.constant_units[item]", "r.cols * 1000000"),
    (
        "values beyond the last",
        "k < r.rank; k += blockDim.x) {\n    const double value",
        "k <= r.rank; k += blockDim.x) {\n    const double value",
    ),
    ("reshaped norm of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    ("zeros are divided by", "if (norm > 0) values[k]", "values[k]"),
    ("distance of one thread", "sum = block_sum(sum, partial);", ""),
    (
        "distances one too far",
        "threadIdx.x; k < size; k += blockDim.x",
        "threadIdx.x; k <= size; k += blockDim.x",
    ),
    ("always the first of y", "y[pair * step + k]", "y[k]"),
    ("all distances in one place", "out[pair] = sum", "out[0] = sum"),
    ("negative gaps", "gap < 0 ? 0 : gap", "gap"),
    ("distances of large gaps", "&& gap < kLargeGap", ""),
    ("constant items have a score", "norm_x == 0 || norm_y == 0", "norm_x == 0"),
    (
        "close pairs are counted by a plain store",
        "atomicAdd(reinterpret_cast<unsigned long long*>(close), 1ull)",
        "*close += 1",
    ),
    ("pairs one too far", "k < gaps.count; k += step", "k <= gaps.count; k += step"),
    ("nothing is mirrored", "scores[i * count + j] = scores[j * count + i];", ";"),
    (
        "the diagonal is mirrored alone",
        "if (threadIdx.x == 0) {\n    const double gap",
        "if (i == 0) {\n    const double gap",
    ),
)

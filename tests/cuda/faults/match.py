"""Faults in assignment/cuda/match.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("NaN is not the largest", "a > b || !(a == a) ? a : b", "a > b ? a : b"),
    (
        "stripes share a place",
        "shared[stripe * kColumns + column] = value;",
        "shared[column] = value;",
    ),
    ("one stripe is left out", "for (int s = 1; s < kStripes", "for (int s = 2; s < kStripes"),
    ("columns outside are written", "if (!inside) return;", ""),
    ("every stripe counts", "if (constant && threadIdx.y == 0) {", "if (constant) {"),
    (
        "constant units are counted by a plain store",
        "atomicAdd(reinterpret_cast<unsigned long long*>(counter), 1ull);",
        "*counter += 1;",
    ),
    (
        "items of one step",
        "size_t(blockIdx.y) * rows * cols + (inside",
        "size_t(blockIdx.y) * rows + (inside",
    ),
    ("units are not centred", "/ largest - mean) / norm", "/ largest) / norm"),
    (
        "a pair beyond the last",
        "k < pairs && matches; k += blockDim.x",
        "k <= pairs && matches; k += blockDim.x",
    ),
    ("no partner is one", "if (i >= 0) partner[i]", "partner[i < 0 ? 0 : i]"),
    (
        "the last of equal partners",
        "(other == best && there < where)",
        "(other == best && there > where)",
    ),
    ("every lane its own unknown", "unknown = __any_sync(kAllLanes, unknown);", ""),
    (
        "best of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const T other",
        "for (int step = 8; step > 0; step /= 2) {\n      const T other",
    ),
    ("sum of one warp", "sum = block_sum(sum, partial);", ""),
    ("partners nobody asked for", "if (!out.assignment) return;", ""),
    ("best partners nobody asked for", "if (out.assignment) out.assignment", "out.assignment"),
    (
        "every item has the first one's constant units of x",
        "out.constant_x.step * item",
        "0 * item",
    ),
    (
        "every item has the first one's constant units of y",
        "out.constant_y.step * item",
        "0 * item",
    ),
)

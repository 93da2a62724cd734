"""Faults in kernels/cuda/bandwidth.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("small distances from products", "if (square < kSmall * norms) {", "if (false) {"),
    (
        "distances one too far",
        "q < block.rows; q += blockDim.x",
        "q <= block.rows; q += blockDim.x",
    ),
    (
        "rows from the first on",
        "const int64_t p = block.first + blockIdx.x;",
        "const int64_t p = blockIdx.x;",
    ),
    ("counts start undefined", "selection->counts[threadIdx.x] = 0;\n  if", ";\n  if"),
    ("the upper middle", "(size - 1) / 2", "size / 2"),
    (
        "counts of a block start undefined",
        "for (unsigned k = threadIdx.x; k < kDigits; k += blockDim.x) counts[k] = 0;",
        "",
    ),
    (
        "the diagonal counts",
        "q < p; q += blockDim.x) {\n    const auto bits = bits_of(row[q]);\n    const b",
        "q <= p; q += blockDim.x) {\n    const auto bits = bits_of(row[q]);\n    const b",
    ),
    ("other beginnings count", "if (begins) atomicAdd", "atomicAdd"),
    (
        "a plain store among threads",
        "atomicAdd(&counts[bits >> shift & 255], 1u)",
        "counts[bits >> shift & 255] += 1u",
    ),
    (
        "a plain store among blocks",
        "atomicAdd(&selection->counts[k], static_cast<unsigned long long>(counts[k]))",
        "selection->counts[k] += counts[k]",
    ),
    ("the digit before", "if (place < here) break;", "if (place <= here) break;"),
    ("places are not counted down", "place -= here;", ""),
    ("counts are kept", "for (int k = 0; k < kDigits; ++k) selection->counts[k] = 0;", ""),
    ("the number itself is above", "bits > found && bits < least", "bits >= found && bits < least"),
    (
        "the largest above",
        "atomicMin(&selection->above, least)",
        "atomicMax(&selection->above, least)",
    ),
    ("the middle is one number", "size % 2 == 1 || selection", "true || selection"),
    ("equal numbers are two", "selection->place + 1 < selection->equal", "false"),
)

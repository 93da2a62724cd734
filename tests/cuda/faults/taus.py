"""Faults in rsa/cuda/taus.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "tiles one too long",
        "  return end < size ? end : size;",
        "  return end < size ? end : size + 1;",
    ),
    ("the last tile is whole", "  return end < size ? end : size;", "  return end;"),
    ("axes all alike", "pair = rest;", ""),
    ("pairs from the first on", "items_of(axes, first + blockIdx.y)", "items_of(axes, blockIdx.y)"),
    ("keys of the first item", "a.ranks + items.a * a.size", "a.ranks"),
    ("ranks of the first item", "b.ranks + items.b * a.size", "b.ranks"),
    ("the order of the first item", "b.order + items.b * a.size", "b.order"),
    ("keys to the first pair", "keys[blockIdx.y * a.size + k] =", "keys[k] ="),
    ("ranks to the first pair", "values[blockIdx.y * a.size + k] =", "values[k] ="),
    ("keys of other lists", "rdms.ranks + item * rdms.size", "rdms.ranks"),
    ("the order of other lists", "rdms.order + item * rdms.size", "rdms.order"),
    ("sorted keys of the first pair", "pairs.keys + pair * pairs.size", "pairs.keys"),
    ("sorted ranks of the first pair", "pairs.values + pair * pairs.size", "pairs.values"),
    ("values alone are equal", "keys[i] == keys[j] && values", "values"),
    ("keys alone are equal", "keys[i] == keys[j] && values[i] == values[j]", "keys[i] == keys[j]"),
    ("the first is not looked before", "k > 0 && !differs(k - 1)", "!differs(k - 1)"),
    ("ties with the neighbour alone", "sum += k - first_without(0, k, differs)", "sum += 1"),
    ("ties of one thread", "  sum = block_sum(sum, partial);\n", ""),
    (
        "a plain store of ties",
        "atomicAdd(tied + blockIdx.y, sum)",
        "tied[blockIdx.y] = tied[blockIdx.y] + sum",
    ),
    ("ties of the first list", "atomicAdd(tied + blockIdx.y", "atomicAdd(tied"),
    (
        "runs end behind the list",
        "middle + width < size ? middle + width : size",
        "middle + width",
    ),
    ("equal ones change places", "values[at] <= value", "values[at] < value"),
    (
        "equal ones are inverted",
        "values[at] < value; };\n  const",
        "values[at] <= value; };\n  const",
    ),
    ("nothing is inverted", "  inverted += smaller;\n", ""),
    ("a level too few", "width < count; width *= 2", "2 * width < count; width *= 2"),
    (
        "tiles are read one too far",
        "k < count; k += blockDim.x) from",
        "k <= count; k += blockDim.x) from",
    ),
    (
        "tiles are sorted one too far",
        "k < count; k += blockDim.x) {\n      to",
        "k <= count; k += blockDim.x) {\n      to",
    ),
    (
        "tiles are written one too far",
        "k < count; k += blockDim.x) tile",
        "k <= count; k += blockDim.x) tile",
    ),
    ("tiles of the first list", "values + blockIdx.y * size + begin", "values + begin"),
    (
        "inversions of one thread",
        "tile[k] = from[k];\n  inverted = block_sum(inverted, partial);",
        "tile[k] = from[k];",
    ),
    (
        "merged by one thread",
        "size, inverted)] = from[k];\n  }\n  inverted = block_sum(inverted, partial);",
        "size, inverted)] = from[k];\n  }",
    ),
    (
        "a plain store of inversions",
        "tile[k] = from[k];\n  inverted = block_sum(inverted, partial);\n"
        "  if (threadIdx.x == 0 && inverted > 0) atomicAdd(inversions + blockIdx.y, inverted);",
        "tile[k] = from[k];\n  inverted = block_sum(inverted, partial);\n"
        "  if (threadIdx.x == 0) inversions[blockIdx.y] += inverted;",
    ),
    (
        "a plain store of merged inversions",
        "from[k];\n  }\n  inverted = block_sum(inverted, partial);\n"
        "  if (threadIdx.x == 0 && inverted > 0) atomicAdd(inversions + blockIdx.y, inverted);",
        "from[k];\n  }\n  inverted = block_sum(inverted, partial);\n"
        "  if (threadIdx.x == 0) inversions[blockIdx.y] += inverted;",
    ),
    ("merged from the first list", "from = values + blockIdx.y * size;", "from = values;"),
    ("merged to the first list", "to = merged + blockIdx.y * size;", "to = merged;"),
    ("scores one too far", "  if (k >= count) return;\n", ""),
    ("scores of the first items", "items_of(axes, first + k)", "items_of(axes, k)"),
    ("scores from the first on", "scores[first + k] =", "scores[k] ="),
    ("ties in both are forgotten", " + int64_t(counts.tied[k])", ""),
    (
        "discordant ones count once",
        "2 * int64_t(counts.discordant[k])",
        "int64_t(counts.discordant[k])",
    ),
    ("tau-a as tau-b", "tau == Tau::a ? double(pairs) : ", ""),
    (
        "what cannot be compared is",
        "a.factors[items.a] > 0 && b.factors[items.b] > 0",
        "a.factors[items.a] > 0",
    ),
)

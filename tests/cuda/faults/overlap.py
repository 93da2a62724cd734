"""Faults in neighbours/cuda/overlap.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("the other side", "items.b += at * axes.step_b[d];", "items.b += at * axes.step_a[d];"),
    ("every axis is as long as the pairs", "pair / axes.shape[d]", "0"),
    ("one axis", "pair = rest;", ""),
    ("the diagonal is left out", "items.b > items.a", "items.b >= items.a"),
    (
        "what is left out stays so",
        "if (pairs.mirrored) out.scores[items.b * pairs.axes.shape[0] + items.a] = score;",
        "",
    ),
    ("neighbours one too far", "while (p < k && q < k)", "while (p <= k && q < k)"),
    ("the other list one too far", "while (p < k && q < k)", "while (p < k && q <= k)"),
    ("the place behind", "list[middle] < value", "list[middle] <= value"),
    ("places one too far", "begin < k && list[begin] == value", "list[begin] == value"),
    (
        "shares one too far",
        "if (sample < pairs.rows) {\n    const int32_t* const x",
        "if (sample <= pairs.rows) {\n    const int32_t* const x",
    ),
    (
        "lists of the first item",
        "pairs.index_b + (items.b * pairs.rows + sample) * k",
        "pairs.index_b + sample * k",
    ),
    ("a union that counts twice", "2 * k - common : k", "2 * k : k"),
    ("shares of one thread", "share = block_sum(share, partial);", ""),
    ("every thread tells", "if (threadIdx.x == 0) parts[", "parts["),
    (
        "parts share their room",
        "parts[size_t(blockIdx.y) * gridDim.x + blockIdx.x] = share",
        "parts[blockIdx.y] = share",
    ),
    ("rows one too far", "if (sample >= pairs.rows) return;", "if (sample > pairs.rows) return;"),
    (
        "row sums of the first list",
        "sum += double(similarity_b[y + q]);",
        "sum += double(similarity_b[x + q]);",
    ),
    (
        "row sums share their room",
        "row_sums[size_t(blockIdx.y) * pairs.rows + sample] = sum;",
        "row_sums[sample] = sum;",
    ),
    (
        "row sums of the first pair",
        "sums_b = row_sums + size_t(blockIdx.y) * pairs.rows;",
        "sums_b = row_sums;",
    ),
    (
        "alignments one too far",
        "if (sample < pairs.rows) {\n    const size_t x",
        "if (sample <= pairs.rows) {\n    const size_t x",
    ),
    (
        "neighbours in one list",
        "place_of(pairs.index_a + others_a, k, int32_t(sample)) >= 0",
        "true",
    ),
    (
        "row sums of the sample",
        "sums[1] += value * sums_b[j];",
        "sums[1] += value * sums_b[sample];",
    ),
    ("terms of one thread", "block_sum(sums[t], partial)", "sums[t]"),
    ("every thread tells its terms", "if (threadIdx.x == 0) out[t] = sum;", "out[t] = sum;"),
    (
        "alignments share their room",
        "(size_t(blockIdx.y) * gridDim.x + blockIdx.x) * kAlignmentTerms",
        "size_t(blockIdx.y) * kAlignmentTerms",
    ),
    ("pairs one too far", "if (k >= pairs.count) return;", "if (k > pairs.count) return;"),
    ("pairs from the first on", "pair = pairs.first + k;", "pair = k;"),
    ("the last part is left out", "part < parts; ++part", "part < parts - 1; ++part"),
    (
        "items that are of no use",
        "out.status_a[items.a] == 0 && out.status_b[items.b] == 0",
        "out.status_a[items.a] == 0",
    ),
    (
        "one norm for both",
        "out.own_a[items.a] * out.own_b[items.b]",
        "out.own_a[items.a] * out.own_a[items.a]",
    ),
    ("constant is not positive", "usable && !(score > 0)", "!(score > 0)"),
    ("half of the last term", "2 / (n - 2) * sums[1]", "1 / (n - 2) * sums[1]"),
    ("what is of no use has a score", "if (!usable) score = NAN;", ""),
)

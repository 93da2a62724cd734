"""Faults in transport/cuda/plans.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("pairs one too far", "k < count * side; k += step", "k <= count * side; k += step"),
    ("costs of pairs are not means", "out.cost[item] /= double(side);", ""),
    (
        "plans one too far",
        "k < size; k += step) {\n    const int64_t item = k / (rows * cols)",
        "k <= size; k += step) {\n    const int64_t item = k / (rows * cols)",
    ),
    ("tall plans like wide ones", "transposed ? inside : j * rows + i", "j * rows + i"),
    ("plans of nothing", "is_known = known[item] == known[item];", "is_known = true;"),
    (
        "columns one too far",
        "k < size; k += step) {\n    const int64_t item = k / cols.cols;",
        "k <= size; k += step) {\n    const int64_t item = k / cols.cols;",
    ),
    ("senders one too far", "mine < rows.cols ?", "mine <= rows.cols ?"),
    (
        "only the first sender",
        "for (; senders; senders &= senders - 1)",
        "for (; senders; senders = 0)",
    ),
    ("squares summed by one lane", "sum = warp_sum(sum);", ""),
    (
        "samples one too far",
        "for (int64_t r = lane; r < samples; r += 32)",
        "for (int64_t r = lane; r <= samples; r += 32)",
    ),
    ("units of the first item", "rows.data + item * rows.step", "rows.data"),
    ("contributions one too far", "j < cols.cols && squares", "j <= cols.cols && squares"),
    ("contributions summed by one thread", "sum = block_sum(sum, partial);", ""),
    ("constant items are scored", "total == total && !all_constant(rows, item)", "total == total"),
    (
        "items one too far",
        "for (int64_t j = threadIdx.x; j < cols; j",
        "for (int64_t j = threadIdx.x; j <= cols; j",
    ),
    ("a vote of the first thread", "unknown = __syncthreads_or(unknown);", ""),
)

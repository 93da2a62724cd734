"""Faults in linalg/cuda/reordered.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("one column too far", "int64_t j = threadIdx.x; j < n;", "int64_t j = threadIdx.x; j <= n;"),
    ("columns as they are", "row_b[order[j]]", "row_b[j]"),
    ("rows as they are", "b + order[i] * n", "b + i * n"),
    (
        "the first order",
        "* const order = orders + blockIdx.y * n;\n  const T",
        "* const order = orders;\n  const T",
    ),
    (
        "only as many columns as threads",
        "j = threadIdx.x; j < n; j += blockDim.x",
        "j = threadIdx.x; j < n; j += n",
    ),
    (
        "columns of one thread",
        "double(row_b[order[j]]);\n  }\n  sum = block_sum(sum, partial);",
        "double(row_b[order[j]]);\n  }",
    ),
    ("the diagonal too", "j = i + 1 + threadIdx.x", "j = i + threadIdx.x"),
    (
        "one element too far",
        "threadIdx.x; j < n; j += blockDim.x) {\n    const int64_t q",
        "threadIdx.x; j <= n; j += blockDim.x) {\n    const int64_t q",
    ),
    (
        "only as many elements as threads",
        "j += blockDim.x) {\n    const int64_t q",
        "j += n) {\n    const int64_t q",
    ),
    ("below the diagonal", "p < q ? start_p + q : row_start(q, n) + p", "start_p + q"),
    (
        "the first order of condensed ones",
        "* const order = orders + blockIdx.y * n;\n  const int64_t p",
        "* const order = orders;\n  const int64_t p",
    ),
    ("a is not shifted", "(double(a.data[start + j]) - shift_a)", "double(a.data[start + j])"),
    ("b is not shifted", "(double(b.data[at]) - shift_b)", "double(b.data[at])"),
    (
        "elements of one thread",
        "- shift_b);\n  }\n  sum = block_sum(sum, partial);",
        "- shift_b);\n  }",
    ),
    ("one row too far", "i < n; i += blockDim.x", "i <= n; i += blockDim.x"),
    ("only as many rows as threads", "i < n; i += blockDim.x", "i < n; i += n"),
    ("sums of the first order", "row_sums + blockIdx.x * n", "row_sums"),
    (
        "rows of one thread",
        "sum += values[i];\n  sum = block_sum(sum, partial);",
        "sum += values[i];",
    ),
)

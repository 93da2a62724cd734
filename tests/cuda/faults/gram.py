"""Faults in kernels/cuda/gram.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "norms one too far",
        "for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) {",
        "for (int64_t j = threadIdx.x; j <= cols; j += blockDim.x) {",
    ),
    (
        "norm of one thread",
        "sum = block_sum(sum, partial);\n  if (threadIdx.x == 0) norms[row] = sum;",
        "if (threadIdx.x == 0) norms[row] = sum;",
    ),
    (
        "norms of the first row",
        "double(x[row * cols + j]) * double(x[row * cols + j])",
        "double(x[j]) * double(x[j])",
    ),
    ("norms of one lane", "norms = warp_sum(norms);", ""),
    ("columns one too far", "k < facts.cols; k += 32", "k <= facts.cols; k += 32"),
    (
        "the lower of the middle",
        "(sqrt(facts.middle[0]) + sqrt(facts.middle[1])) / 2",
        "sqrt(facts.middle[0])",
    ),
    ("no median is a bandwidth", "if (median == 0 && unit != 0) out.fault = kNoBandwidth;", ""),
    ("every lane writes", "if (threadIdx.x > 0) return;\n  const double unit", "const double unit"),
    ("scales are forgotten", "gamma / (unit * unit)", "gamma"),
    (
        "kernels of the first row",
        "values = block.values + k * block.step + size_t(blockIdx.x) * block.rows",
        "values = block.values + k * block.step",
    ),
    ("the diagonal stays", "if (options.unbiased && j == row) value = 0;", ""),
    ("nothing is shifted", "? square : 0 * square)) - item.shift;", "? square : 0 * square));"),
    ("values one too far", "j < block.rows; j += blockDim.x", "j <= block.rows; j += blockDim.x"),
    ("row sums of one thread", "sum = block_sum(sum, partial);\n  squares", "squares"),
    ("row squares of one thread", "squares = block_sum(squares, partial_squares);", ""),
    (
        "sums share their room",
        "squares = block_sum(squares, partial_squares);",
        "squares = block_sum(squares, partial);",
    ),
    (
        "sums of the first item",
        "block.row_sums[k * block.rows + row] = sum;",
        "block.row_sums[row] = sum;",
    ),
    (
        "products of one thread",
        "sum = block_sum(sum, partial);\n  if (threadIdx.x == 0) out[",
        "if (threadIdx.x == 0) out[",
    ),
    ("products one too far", "j < rows; j += blockDim.x", "j <= rows; j += blockDim.x"),
    (
        "rows from the first on",
        "out[size_t(blockIdx.y) * rows + first + blockIdx.x]",
        "out[size_t(blockIdx.y) * rows + blockIdx.x]",
    ),
    (
        "sums of one thread",
        "    sum = block_sum(sum, partial);\n    __syncthreads();",
        "    __syncthreads();",
    ),
    ("rows one too far", "r < s.rows; r += blockDim.x", "r <= s.rows; r += blockDim.x"),
    ("biased and unbiased alike", "unbiased ? 2 * rows / (n - 2) : 2 * rows / n", "2 * rows / n"),
    ("negative is positive", "!(self_i <= s.rounding * own_i)", "true"),
    ("units are forgotten", "score / a.power / b.power", "score"),
    ("every pair tells of its item", "if (s.paired || j == 0) s.status_a", "if (true) s.status_a"),
    ("items of the first list", "s.items_b[j]", "s.items_a[j]"),
)

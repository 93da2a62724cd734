"""Faults in kernels/cuda/gram_gradient.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("sums one too far", "k < size; k += blockDim.x", "k <= size; k += blockDim.x"),
    ("sums of one thread", "return block_sum(sum, partial);", "return sum;"),
    (
        "values one too far",
        "j < side.rows; j += blockDim.x) {\n    const int64_t k = i * side.rows + j;\n"
        "    double value = side.products[k];",
        "j <= side.rows; j += blockDim.x) {\n    const int64_t k = i * side.rows + j;\n"
        "    double value = side.products[k];",
    ),
    ("the diagonal is summed", "if (!options.unbiased || i != j) sum += value;", "sum += value;"),
    (
        "row sums of one thread",
        "sum = block_sum(sum, partial);\n  squares = block_sum(squares, partial_squares);",
        "squares = block_sum(squares, partial_squares);",
    ),
    (
        "squares of one thread",
        "sum = block_sum(sum, partial);\n  squares = block_sum(squares, partial_squares);",
        "sum = block_sum(sum, partial);",
    ),
    (
        "sums share their room",
        "sum = block_sum(sum, partial);\n  squares = block_sum(squares, partial_squares);",
        "sum = block_sum(sum, partial);\n  squares = block_sum(squares, partial);",
    ),
    (
        "every thread writes its sum",
        "if (threadIdx.x > 0) return;\n  side.sums[i] = sum;",
        "side.sums[i] = sum;",
    ),
    ("sums of the first row", "side.sums[i] = sum;", "side.sums[0] = sum;"),
    ("nothing is centred", "(side.sums[i] + side.sums[j]) * of_rows", "side.sums[i] * of_rows"),
    (
        "projections one too far",
        "j < side.rows; j += blockDim.x) {\n    const int64_t k = i * side.rows + j;\n"
        "    double value = side.kernel[k] + of_all",
        "j <= side.rows; j += blockDim.x) {\n    const int64_t k = i * side.rows + j;\n"
        "    double value = side.kernel[k] + of_all",
    ),
    ("the diagonal stays", "if (options.unbiased && i == j) value = 0;", ""),
    (
        "projected squares of one thread",
        "squares = block_sum(squares, partial_squares);\n  if (threadIdx.x == 0) side.projected",
        "if (threadIdx.x == 0) side.projected",
    ),
    (
        "every thread writes the projected",
        "if (threadIdx.x == 0) side.projected[i]",
        "side.projected[i]",
    ),
    ("rounding has a direction", "!(square_x <= rounding * sums[0])", "true"),
    ("every thread relates", "if (threadIdx.x > 0) return;\n  const double n", "const double n"),
    ("units are forgotten", "usable ? *x.unit : NAN", "usable ? 1.0 : NAN"),
    ("slopes of the other side", "slopes[1] = {other * unit_y", "slopes[0] = {other * unit_y"),
    ("no own part", "pull.slopes->own * side.kernel[k]", "0 * side.kernel[k]"),
    (
        "weights one too far",
        "j < pull.side.rows; j += blockDim.x",
        "j <= pull.side.rows; j += blockDim.x",
    ),
    (
        "weights of one thread",
        "sum = block_sum(sum, partial);\n  distances",
        "distances",
    ),
    (
        "distances of one thread",
        "distances = block_sum(distances, partial_distances);",
        "",
    ),
    (
        "weights share their room",
        "distances = block_sum(distances, partial_distances);",
        "distances = block_sum(distances, partial);",
    ),
    (
        "every thread writes its weight",
        "if (threadIdx.x > 0) return;\n  pull.weights",
        "pull.weights",
    ),
    (
        "one pair of the middle",
        "for (int k = 0; k < 2; ++k) {\n      of_pair",
        "{ int k = 0;\n      of_pair",
    ),
    (
        "the diagonal knows no pair",
        "if (i == lower[k] || i == upper[k]) diagonal += of_pair[k];",
        "",
    ),
    ("pairs in one order", "(i == lower[k] && j == upper[k]) || ", ""),
    ("columns stay", "weight - pull.weights[j] / double(rows)", "weight"),
    (
        "written one too far",
        "j < rows; j += blockDim.x) {\n    double weight",
        "j <= rows; j += blockDim.x) {\n    double weight",
    ),
    ("written to the first row", "out[i * rows + j] = T(weight);", "out[j] = T(weight);"),
    ("pairs one too far", "q < p; q += blockDim.x", "q <= p; q += blockDim.x"),
    (
        "rows from the first on",
        "const int64_t p = first + blockIdx.x;",
        "const int64_t p = blockIdx.x;",
    ),
    (
        "the last to come finds the pair",
        "atomicMin(&pairs[k], static_cast<unsigned long long>(p * rows + q));",
        "pairs[k] = static_cast<unsigned long long>(p * rows + q);",
    ),
)

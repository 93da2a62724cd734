"""Faults in moments/cuda/spectra.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "the largest value is not looked for",
        "largest = values[k] > largest ? values[k] : largest;",
        "largest = values[0];",
    ),
    (
        "rounding of few samples",
        "*e.samples > double(e.cols) ? *e.samples : double(e.cols)",
        "double(e.cols)",
    ),
    (
        "rounding of few units",
        "*e.samples > double(e.cols) ? *e.samples : double(e.cols)",
        "*e.samples",
    ),
    ("equal values come before each other", "&& j < k)", "&& j != k)"),
    ("values after count as before", "values[j] > values[k] ||", "values[j] < values[k] ||"),
    ("all of the variance", "< w.variance * total;", "< total;"),
    (
        "the total of all values",
        "total += values[k] > least ? values[k] : 0;",
        "total += values[k];",
    ),
    ("sums of one thread", "sum = block_sum(sum, partial);", ""),
    ("ranks of one thread", "rank = block_sum(rank, partial_count);", ""),
    ("constant units share the ridge", "double(e.cols - w.constant_units[item])", "double(e.cols)"),
    ("no ridge", "1 / sqrt(values[k] + ridge)", "1 / sqrt(values[k])"),
    (
        "the last weight stays",
        "k < e.cols; k += blockDim.x) {\n    if (weights[k] > 0) weights[k] = 1",
        "k < e.cols - 1; k += blockDim.x) {\n    if (weights[k] > 0) weights[k] = 1",
    ),
    (
        "weights of the first item",
        "double* const weights = w.weights + item * e.cols;",
        "double* const weights = w.weights;",
    ),
    ("ranks of the first item", "w.ranks[item] = rank;", "w.ranks[0] = rank;"),
    ("rounding is reshaped", "values[k] > least ? sqrt(values[k]) : 0;", "sqrt(fabs(values[k]));"),
    ("reshaped weights of the first item", "weights += int64_t(blockIdx.x) * e.cols;", ""),
    ("norms of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    ("roots of negative traces", "traces[k] < 0 ? 0 : sqrt(traces[k])", "sqrt(traces[k])"),
    (
        "one norm too many",
        "k < count; k += step) {\n    norms[k]",
        "k <= count; k += step) {\n    norms[k]",
    ),
    ("similarities above 1", "similarity > 1 ? 1 : similarity", "similarity"),
    ("the norm of the first y", "*norm_x * norms_y[k]", "*norm_x * norms_y[0]"),
    (
        "equal values before each other",
        "values[j] == values[k] && j < k",
        "values[j] == values[k] && j <= k",
    ),
    ("values before too far", "j < size; ++j", "j <= size; ++j"),
    ("total too far", "k < e.cols; ++k) total", "k <= e.cols; ++k) total"),
    ("rounding whitens", "bool counts = values[k] > least;", "bool counts = values[k] > 0;"),
    ("all variance counts", "if (w.variance < 1) counts", "if (w.variance < 0) counts"),
    (
        "values to whiten too far",
        "k < e.cols; k += blockDim.x) {\n    bool counts",
        "k <= e.cols; k += blockDim.x) {\n    bool counts",
    ),
    (
        "values to reshape too far",
        "k < e.cols; k += blockDim.x) {\n    const double root",
        "k <= e.cols; k += blockDim.x) {\n    const double root",
    ),
    ("not unit norm", "if (weights[k] > 0) weights[k] /= norm;", ""),
    (
        "similarities too far",
        "k < count; k += step) {\n    const double norms",
        "k <= count; k += step) {\n    const double norms",
    ),
)

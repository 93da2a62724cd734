"""Faults in maps/cuda/maps.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "means of one stripe",
        "mean = over_stripes<Sum>(mean, shared) / double(rows);\n  double squares = 0;\n  for",
        "mean /= double(rows);\n  double squares = 0;\n  for",
    ),
    ("equal values differ", "const double first = double(from[0]);", "const double first = 0;"),
    (
        "columns beyond the last",
        "if (inside) out.data[i * cols + column] = value;",
        "out.data[i * cols + column] = value;",
    ),
    ("deviations of one stripe", "squares = over_stripes<Sum>(squares, shared);", ""),
    (
        "every thread writes",
        "if (!inside || threadIdx.y > 0) return;",
        "if (threadIdx.y > 0) return;",
    ),
    ("deviations of a sample", "sqrt(squares / double(rows))", "sqrt(squares / double(rows - 1))"),
    (
        "rows one too far",
        "i < rows; i += kStripes) mean += double(from[i * cols]) - first",
        "i <= rows; i += kStripes) mean += double(from[i * cols]) - first",
    ),
    (
        "differences one too far",
        "k < size; k += step) {\n    out[k] = double(x[k]) - mean",
        "k <= size; k += step) {\n    out[k] = double(x[k]) - mean",
    ),
    (
        "the mean of another column",
        "double(x[k]) - mean[k % cols]",
        "double(x[k]) - mean[k / cols]",
    ),
    (
        "sums one too far",
        "k < size; k += step) {\n    out[k] = T(x[k] + mean",
        "k <= size; k += step) {\n    out[k] = T(x[k] + mean",
    ),
    (
        "products one too far",
        "i < rows; i += kStripes) {\n    sum +=",
        "i <= rows; i += kStripes) {\n    sum +=",
    ),
    ("products of one stripe", "sum = over_stripes<Sum>(sum, shared);", ""),
    (
        "products beyond the last column",
        "if (column < cols && threadIdx.y == 0) sums",
        "if (threadIdx.y == 0) sums",
    ),
    ("nothing divided by nothing", "below <= 0 ? 0 : above / below", "above / below"),
    (
        "ratios one too far",
        "k < size; k += step) {\n    x[k] *= ratio",
        "k <= size; k += step) {\n    x[k] *= ratio",
    ),
    ("partners of the other side", "partners[k / dy] == k % dy", "partners[k / dy] == k / dy"),
    (
        "shares one too far",
        "k < size; k += step) {\n    plan[k]",
        "k <= size; k += step) {\n    plan[k]",
    ),
    ("shares of the longer side", "dx < dy ? dx : dy", "dx < dy ? dy : dx"),
    ("sums that are not there", "sums ? sums[k % dy] : 1", "sums[k % dy]"),
    ("all sums are one", "sums ? sums[k % dy] : 1", "1"),
    ("what does not vary weighs", "own == 0 || sum <= 0 ? 0", "sum <= 0 ? 0"),
    (
        "weights one too far",
        "k < size; k += step) {\n    const double own",
        "k <= size; k += step) {\n    const double own",
    ),
    (
        "the last sample is not scored",
        "i < rows; i += kStripes) {\n    const double moved_p",
        "i < rows - 1; i += kStripes) {\n    const double moved_p",
    ),
    (
        "means of all but the last",
        "i < rows; i += kStripes) {\n    mean_p",
        "i < rows - 1; i += kStripes) {\n    mean_p",
    ),
    (
        "means of targets of one stripe",
        "mean_y = over_stripes<Sum>(mean_y, shared) / double(rows);",
        "mean_y /= double(rows);",
    ),
    (
        "means of predictions of one stripe",
        "mean_p = over_stripes<Sum>(mean_p, shared) / double(rows);",
        "mean_p /= double(rows);",
    ),
    ("squares of one stripe", "squares_p = over_stripes<Sum>(squares_p, shared);", ""),
    ("squares of targets of one stripe", "squares_y = over_stripes<Sum>(squares_y, shared);", ""),
    ("inner products of one stripe", "inner = over_stripes<Sum>(inner, shared);", ""),
    ("errors of one stripe", "errors = over_stripes<Sum>(errors, shared);", ""),
    (
        "scores beyond the last column",
        "if (column >= cols || threadIdx.y > 0) return;",
        "if (threadIdx.y > 0) return;",
    ),
    ("constant columns are no number", "norms <= 0 ? 0 : inner / norms", "inner / norms"),
    ("constant targets are not determined", "errors == 0 ? 1 : 0", "0"),
    ("one sample is enough", "rows < 2 ", "rows < 1 "),
)

"""Faults in regression/cuda/lasso_folds.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "squares of one row too many",
        "i < rows; i += kStripes) sum += x[i * cols]",
        "i <= rows; i += kStripes) sum += x[i * cols]",
    ),
    ("squares of one stripe", "  sum = over_stripes<Sum>(sum, shared);\n", ""),
    ("squares outside are written", "inside && threadIdx.y == 0", "threadIdx.y == 0"),
    ("squares of the first matrix", "int64_t(blockIdx.y) * rows * cols + (inside", "(inside"),
    ("columns outside are scaled", "if (column >= cols) return;", ""),
    ("columns of zeros are divided", "squares == 0 ? 0 : 1 / sqrt(squares)", "1 / sqrt(squares)"),
    (
        "norms of all rows",
        "double(shape.rows - shape.size(model % shape.folds))",
        "double(shape.rows)",
    ),
    ("every fold is the first", "shape.size(model % shape.folds)", "shape.size(0)"),
    ("a row too many that stays", "i < most_trained; i", "i <= most_trained; i"),
    ("a row too many that is left out", "i < most_left_out; i", "i <= most_left_out; i"),
    ("sum over a row too many", "sum += (*this)[i];", "sum += (*this)[i + 1];"),
    (
        "mean of one stripe",
        "return over_stripes<Sum>(sum, shared) / double(rows);",
        "return sum / double(rows);",
    ),
    (
        "spread of one stripe",
        "return over_stripes<Largest>(spread, shared) == 0;",
        "return spread == 0;",
    ),
    ("predictions of the first item", "(item * held.shape.folds + fold) * most", "fold * most"),
    (
        "every fold is as long as the first",
        "rows = held.shape.size(fold)",
        "rows = held.shape.size(0)",
    ),
    ("the first targets", "held.first + from % held.count", "from % held.count"),
    ("predictions are not centred", "moved = p[i] - mean_p", "moved = p[i]"),
    ("targets are not centred", "off = y[i] - mean_y", "off = y[i]"),
    ("products of one stripe", "    inner = over_stripes<Sum>(inner, shared);\n", ""),
    ("squares of predictions of one stripe", "over_stripes<Sum>(squares_p, shared)", "squares_p"),
    ("squares of targets of one stripe", "over_stripes<Sum>(squares_y, shared)", "squares_y"),
    ("errors of one stripe", "over_stripes<Sum>(errors, shared)", "errors"),
    ("constant predictions correlate", "!constant && !constant_y &&", "!constant_y &&"),
    ("constant targets correlate", "!constant && !constant_y &&", "!constant &&"),
    ("NaN is no correlation", "!(norms <= 0)", "norms > 0"),
    (
        "scores outside are written",
        "if (column >= cols || threadIdx.y > 0) return;",
        "if (threadIdx.y > 0) return;",
    ),
    (
        "scores of what does not vary",
        "correlation[at] = nothing ? NAN : mean_r",
        "correlation[at] = mean_r",
    ),
    (
        "losses of what does not vary",
        "loss[at] = nothing ? NAN : mean_error",
        "loss[at] = mean_error",
    ),
    (
        "scores without the first target",
        "(item * held.penalties + column / held.count) * targets + target",
        "(item * held.penalties + column / held.count) * targets + target - held.first",
    ),
)

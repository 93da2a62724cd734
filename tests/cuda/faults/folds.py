"""Faults in regression/cuda/folds.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("the first row of the fold too", "row >= begin && row < end", "row > begin && row < end"),
    ("a row behind the fold", "row >= begin && row < end", "row >= begin && row <= end"),
    (
        "the reference is in the other part",
        "inside ? begin : begin > 0 ? 0 : end",
        "inside ? begin : 0",
    ),
    ("mean of all rows", "sum += has(i) ? difference(i) : 0;", "sum += difference(i);"),
    ("size of all rows", "inside ? end - begin : rows - (end - begin)", "rows"),
    (
        "mean of one stripe",
        "return over_stripes<Sum>(sum, shared) / double(size());",
        "return sum / double(size());",
    ),
    ("rows behind the fold stay where they were", "i < begin ? i : i - (end - begin)", "i"),
    ("every fold is the first", "blockIdx.y % shape.folds", "0"),
    ("every item is the first", "blockIdx.y / shape.folds * shape.rows", "0 * shape.rows"),
    ("no zeros below what stays", "i < most_trained && exists", "i < 0 && exists"),
    (
        "zeros one too far below what stays",
        "i < most_trained && exists",
        "i <= most_trained && exists",
    ),
    ("no zeros below what is left out", "i < most_left_out && exists", "i < 0 && exists"),
    ("columns outside are written", "i < shape.rows && exists", "i < shape.rows"),
    ("squares nobody asked for", "if (!parts.squares) return;  // the whole block", ""),
    ("squares of one stripe", "  train_squares = over_stripes<Sum>(train_squares, shared);\n", ""),
    ("squares left out of one stripe", "  squares = over_stripes<Sum>(squares, shared);\n", ""),
    ("squares outside are written", "exists && threadIdx.y == 0", "threadIdx.y == 0"),
    (
        "always centred",
        "intercept ? trained.difference(i) - mean : from[i * cols]",
        "trained.difference(i) - mean",
    ),
    ("differences are values", "return x[row * cols] - reference();", "return x[row * cols];"),
)

"""Faults in regression/cuda/ridge_moments.cu for mutate.py: what it is, the text, its change."""

FAULTS = (
    ("penalties of all units", "size - *p.constant_units, most", "size, most"),
    ("penalties of many units", "most < units ? most : units", "units"),
    ("penalties of many samples", "most < units ? most : units", "most"),
    ("given penalties are scaled", "if (!p.trace) return 1;", "if (!p.trace) return 2;"),
    (
        "one direction is left out",
        "for (int64_t k = 0; k < fit.size; ++k) {\n    if",
        "for (int64_t k = 1; k < fit.size; ++k) {\n    if",
    ),
    ("degrees of freedom are not squared", "residual / (freedom * freedom)", "residual / freedom"),
    (
        "moments of the first column",
        "target * fit.size * fit.cols + column;",
        "target * fit.size * fit.cols;",
    ),
    (
        "squares of the first target",
        "fit.train_squares[target * fit.step + column]",
        "fit.train_squares[column]",
    ),
    ("nothing is explained", "unexplained -= along * along / fit.values[d];", ""),
    ("one penalty is not tried", "a < penalties.count;", "a < penalties.count - 1;"),
    ("the last penalty wins", "if (score < best) {", "if (true) {"),
    ("directions that are absent", "value == 0 ? 0 : moments", "moments"),
    ("one column too far", "column < fit.cols; column", "column <= fit.cols; column"),
    ("the last column is left out", "column < fit.cols; column", "column < fit.cols - 1; column"),
    ("constant columns", "if (own == 0 || quadratic <= 0) continue;", ""),
    ("correlations of one thread", "sum = block_sum(sum, partial);", ""),
    ("all write the first target", "correlation[target] = sum", "correlation[0] = sum"),
    ("one fold is left out", "f < folds; ++f", "f < folds - 1; ++f"),
    ("constant items score", "constant ? NAN : sum / double(folds)", "sum / double(folds)"),
    (
        "one score too many",
        "k < size; k += step) {\n    double sum",
        "k <= size; k += step) {\n    double sum",
    ),
)

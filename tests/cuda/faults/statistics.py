"""Faults in units/cuda/statistics.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "samples one too far",
        "for (int64_t i = threadIdx.y; i < rows; i += kStripes) {\n    const double value",
        "for (int64_t i = threadIdx.y; i <= rows; i += kStripes) {\n    const double value",
    ),
    (
        "distances one too far",
        "for (int64_t i = threadIdx.y; i < rows; i += kStripes) {\n    const double distance",
        "for (int64_t i = threadIdx.y; i <= rows; i += kStripes) {\n    const double distance",
    ),
    (
        "mean of one stripe",
        "mean = over_stripes<Sum>(mean, shared) / double(rows);",
        "mean /= double(rows);",
    ),
    (
        "activity of one stripe",
        "active = over_stripes<Sum>(active, shared) / double(rows);",
        "active /= double(rows);",
    ),
    ("squares of one stripe", "squares = over_stripes<Sum>(squares, shared);", ""),
    ("activity is positive", "active += value != 0;", "active += value > 0;"),
    ("not centred", "double(x[begin + i * cols]) - mean", "double(x[begin + i * cols])"),
    (
        "columns outside are written",
        "if (!inside || threadIdx.y > 0) return;",
        "if (threadIdx.y > 0) return;",
    ),
    ("every stripe writes", "if (!inside || threadIdx.y > 0) return;", "if (!inside) return;"),
    ("moments of the first item", "size_t(blockIdx.y) * rows * cols", "size_t(0) * rows * cols"),
    ("a variance", "T(sqrt(squares / double(rows)))", "T(squares / double(rows))"),
    ("NaN sorts by its sign", "mean == mean ? -mean : double(NAN)", "-mean"),
    ("spectrum one too far", "k < cols; k += step", "k <= cols; k += step"),
    (
        "spectrum of the first item",
        "size_t(blockIdx.y) * cols;\n  const double* const values",
        "size_t(0) * cols;\n  const double* const values",
    ),
    ("a unit beyond the last", "k + 1 == cols || ", ""),
    ("every positive mean is the least", "if (positive && last)", "if (positive)"),
    ("no spread is not said", "if (k == 0 && !positive)", "if (false)"),
)

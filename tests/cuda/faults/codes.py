"""Faults in information/cuda/codes.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "zeros are below zero",
        "value < 0 || (with && value == 0)",
        "value <= 0 || (with && value == 0)",
    ),
    ("zeros are not counted", "value < 0 || (with && value == 0)", "value < 0"),
    ("zeros among the values", "lower += lower < below_zero ? 0 : zeros;", ""),
    ("zeros above the values", "upper += upper < below_zero ? 0 : zeros;", ""),
    ("a unit of zeros", "if (last < 0) return 0;", ""),
    ("a value beyond the last", "lower < last ? lower + 1 : last", "lower + 1"),
    ("interpolated from below alone", "weight < 0.5 ?", "true ?"),
    ("interpolated from above alone", "weight < 0.5 ?", "false ?"),
    ("the next share", "double(k + 1) / double(bins - 1)", "double(k + 1) / double(bins)"),
    ("edges one too far", "k < bins - 2; k += blockDim.x", "k < bins - 1; k += blockDim.x"),
    ("NaN has edges", "unknown ? NAN : quantile", "quantile"),
    ("edges of the first unit", "edges[unit * (bins - 2) + k]", "edges[k]"),
    (
        "every thread counts",
        "if (threadIdx.x > 0 || first != last) return;",
        "if (first != last) return;",
    ),
    (
        "every unit is constant",
        "if (threadIdx.x > 0 || first != last) return;",
        "if (threadIdx.x > 0) return;",
    ),
    ("constant units are counted by a plain store", "atomicAdd(counter, 1ull);", "*counter += 1;"),
    (
        "constant units of the first item",
        "constant.numbers + constant.step * item",
        "constant.numbers",
    ),
    ("units from the first", "(constant.first + unit)", "unit"),
    ("values one too far", "k < samples; k += step", "k <= samples; k += step"),
    ("an edge is below", "mine[middle] <= value", "mine[middle] < value"),
    ("NaN below all edges", " || value != value) {  //", ") {  //"),
    ("codes of the first unit", "codes[begin + k]", "codes[k]"),
    ("edges of codes of the first unit", "edges + size_t(blockIdx.y) * count", "edges"),
    ("zeros have no bin", "value == 0 ? 0 : 1 + low", "1 + low"),
)

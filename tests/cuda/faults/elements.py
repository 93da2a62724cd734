"""Faults in core/cuda/elements.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "elements one too far",
        "threadIdx.x; k < size; k += step) {\n    int64_t",
        "threadIdx.x; k <= size; k += step) {\n    int64_t",
    ),
    (
        "axes in the wrong order",
        "axis = in.ndim - 1; axis >= 0; --axis",
        "axis = 0; axis < in.ndim; ++axis",
    ),
    ("any that is not finite", "atomicMin(first, ", "atomicMax(first, "),
    (
        "a plain store among threads",
        "atomicMin(first, static_cast<unsigned long long>(k));",
        "*first = static_cast<unsigned long long>(k);",
    ),
    ("infinity is finite", "value - value == T(0)", "value == value"),
    ("small halves are zero", "ldexpf(float(fraction), -24)", "0.0f"),
    ("large halves are finite", "exponent == 31 ? 255u : exponent + 112", "exponent + 112"),
    (
        "the look reads one too far",
        "threadIdx.x; k < size; k += step) {\n    const T",
        "threadIdx.x; k <= size; k += step) {\n    const T",
    ),
    (
        "a value too many",
        "k < size; k += int(blockDim.x)) out[k] = parcel",
        "k <= size; k += int(blockDim.x)) out[k] = parcel",
    ),
    (
        "as many values as threads",
        "k < size; k += int(blockDim.x)) out[k] = parcel",
        "k < size; k += size) out[k] = parcel",
    ),
)

"""Faults in rsa/cuda/precision.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "elements of the first block",
        "int64_t(blockIdx.x) * blockDim.x + threadIdx.x",
        "threadIdx.x",
    ),
    ("asymmetry one too far", "k < d * d; k += step()", "k <= d * d; k += step()"),
    ("compared with itself", "a[k % d * d + k / d]", "a[k]"),
    ("nothing is allowed", "1e-8 + 1e-6 * fabs(other)", "1e-8"),
    ("NaN is symmetric", "!(fabs(a[k] - other) <=", "(fabs(a[k] - other) >"),
    (
        "a plain store",
        "atomicAdd(reinterpret_cast<unsigned long long*>(different), found)",
        "*different += int64_t(found)",
    ),
    (
        "differences one too far",
        "k < count * size; k += step()) {\n    out[k] = double(x[k])",
        "k <= count * size; k += step()) {\n    out[k] = double(x[k])",
    ),
    ("the first sample of the first item", "x[k / size * size + k % cols]", "x[k % cols]"),
    (
        "means one too far",
        "k < count * size; k += step()) {\n    const double* const first = x",
        "k <= count * size; k += step()) {\n    const double* const first = x",
    ),
    ("repeats of the first item", "x + k / size * repeats * size + k % size", "x + k % size"),
    ("sums of repeats", "sum / double(repeats)", "sum"),
    (
        "repeats one too few",
        "repeat < repeats; ++repeat) sum += first[repeat * size];\n    out[k] = sum",
        "repeat < repeats - 1; ++repeat) sum += first[repeat * size];\n    out[k] = sum",
    ),
    (
        "distances one too far",
        "k < count * size; k += step()) {\n    const double* const first = within",
        "k <= count * size; k += step()) {\n    const double* const first = within",
    ),
    (
        "distances of the first item",
        "within + k / size * repeats * size + k % size",
        "within + k % size",
    ),
    (
        "distances of one repeat too few",
        "repeat < repeats; ++repeat) sum += first[repeat * size];\n    out[k] = T",
        "repeat < repeats - 1; ++repeat) sum += first[repeat * size];\n    out[k] = T",
    ),
)

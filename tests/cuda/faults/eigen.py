"""Faults in linalg/cuda/eigen.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "infinity is finite",
        "finite && fabs(matrix[k]) < INFINITY",
        "finite && matrix[k] == matrix[k]",
    ),
    ("each thread for itself", "finite = __syncthreads_and(finite);", ""),
    (
        "the first elements are not cleared",
        "matrix[k] = 0;",
        "matrix[k] = k < 256 ? matrix[k] : 0;",
    ),
    ("usable ones are unusable", "unusable[blockIdx.x] = !finite;", "unusable[blockIdx.x] = 1;"),
    (
        "elements one too far",
        "k < size; k += blockDim.x) {\n    finite",
        "k <= size; k += blockDim.x) {\n    finite",
    ),
    ("cleared one too far", "k < size && !finite;", "k <= size && !finite;"),
    (
        "what was not found is kept",
        "u.unusable[item] == 0 && u.findings[item] == 0",
        "u.unusable[item] == 0",
    ),
    (
        "what was unusable is kept",
        "u.unusable[item] == 0 && u.findings[item] == 0",
        "u.findings[item] == 0",
    ),
    (
        "values of the next matrix",
        "k < n; k += blockDim.x) values",
        "k <= n; k += blockDim.x) values",
    ),
    ("vectors that are not there", "k < size && u.vectors;", "k < size;"),
    ("vectors one too far", "k < size && u.vectors;", "k <= size && u.vectors;"),
    ("no identity", "k / n == k % n ? 1 : 0", "0"),
    ("NaN in place of the identity", "!u.identity ? NAN", "true ? NAN"),
    ("the last that failed", "atomicMin(u.failure", "atomicMax(u.failure"),
    ("places within the part", "(u.first + item)", "(item)"),
    ("the identity is told", "u.failure && !u.identity", "u.failure"),
    ("ascending", "(n - 1 - k % n)", "(k % n)"),
    ("roots of negative numbers", "value < 0 ? 0 : sqrt(value)", "sqrt(value)"),
    ("NaN is zero", "value < 0 ? 0 : sqrt(value)", "value > 0 ? sqrt(value) : 0"),
    ("roots one too far", "k < total; k += step", "k <= total; k += step"),
    ("one block only", "k < total; k += step", "k < blockDim.x; k += step"),
)

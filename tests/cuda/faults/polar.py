"""Faults in linalg/cuda/polar.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    (
        "largest of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {",
        "for (int step = 8; step > 0; step /= 2) {",
    ),
    ("largest of one warp", "largest = partial[w] > largest ? partial[w] : largest;", ""),
    ("infinity is finite", "finite = finite && value < INFINITY;", ""),
    (
        "every thread's own opinion of what is finite",
        "finite = __syncthreads_and(finite);",
        "__syncthreads();",
    ),
    ("squares of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    ("zeros are divided by", "k < size && largest > 0; k", "k < size; k"),
    (
        "elements one too far",
        "for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {\n    const double scaled",
        "for (int64_t k = threadIdx.x; k <= size; k += blockDim.x) {\n    const double scaled",
    ),
    ("all norms in one place", "norm[blockIdx.x] = finite", "norm[0] = finite"),
    ("the identity in one matrix alone", "k % (n * n)", "k"),
    ("the polynomial one too far", "k < total; k += step", "k <= total; k += step"),
    ("products of one thread", "sum = block_sum(sum, partial);", ""),
    (
        "all products in one place",
        "out[blockIdx.x] = sum * scale[blockIdx.x]",
        "out[0] = sum * scale[blockIdx.x]",
    ),
    (
        "products of the first matrix",
        "double(p[begin + k]) * double(x[begin + k])",
        "double(p[k]) * double(x[begin + k])",
    ),
)

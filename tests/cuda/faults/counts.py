"""Faults in information/cuda/counts.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("counts one too far", "k < size; k += step", "k <= size; k += step"),
    ("counts are replaced", "total[k] += counts[k];", "total[k] = counts[k];"),
    ("every block the same", "int64_t(blockIdx.x) * blockDim.x + threadIdx.x", "threadIdx.x"),
)

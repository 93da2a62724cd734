"""Faults in reduce/cuda/means.cu for mutate.py: what it is, the text, what it becomes."""

# Of over_stripes, for kernels that come to it twice.
NEEDLESS_BARRIERS = ("// the last use of `shared` is over",)

FAULTS = (
    ("rows one too long", "k < length; k += blockDim.x", "k <= length; k += blockDim.x"),
    ("rows one too short", "k < length; k += blockDim.x", "k < length - 1; k += blockDim.x"),
    ("sum of one warp", "sum = block_sum(sum, partial);", ""),
    ("means of rows by every thread", "if (threadIdx.x == 0) out[blockIdx.x]", "out[blockIdx.x]"),
    ("columns one too long", "i < rows; i += kStripes", "i <= rows; i += kStripes"),
    ("sum of one stripe", "sum = over_stripes<Sum>(sum, shared);", ""),
    ("columns outside are written", "inside && threadIdx.y == 0", "threadIdx.y == 0"),
    ("every stripe writes", "inside && threadIdx.y == 0", "inside"),
    ("columns of the first item", "size_t(blockIdx.y) * rows * cols", "size_t(0) * rows * cols"),
    ("sums of rows in T", "sum += double(row[k]);", "sum = double(T(sum + double(row[k])));"),
)

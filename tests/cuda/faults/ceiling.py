"""Faults in rsa/cuda/ceiling.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("ranks of no RDM", "v.factors[item] > 0 ? 1 : NAN", "1"),
    ("factors of the first", "return v.factors[item];", "return v.factors[0];"),
    ("elements one too far", "k < v.size; k += step", "k <= v.size; k += step"),
    (
        "elements of the first block",
        "int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k",
        "threadIdx.x; k",
    ),
    ("shifts of the first", "v.shifts ? v.shifts[item] : 0", "v.shifts ? v.shifts[0] : 0"),
    ("the last is not pooled", "item < count; ++item) sum", "item < count - 1; ++item) sum"),
    ("its own part stays", "(sum - part(item)) / double(count - 1)", "sum / double(count - 1)"),
    ("means over all", "/ double(count - 1);", "/ double(count);"),
    ("no mean of all", "out[count * v.size + k] = sum / double(count);", ""),
    ("responses of the first item", "x + item * repeats * rows * cols + column", "x + column"),
    ("columns one too far", "inside = column < cols", "inside = true"),
    ("repeats one too few", "r < repeats; ++r) sum", "r < repeats - 1; ++r) sum"),
    ("within one repeat too few", "r < repeats; ++r) {", "r < repeats - 1; ++r) {"),
    (
        "rows one too far",
        "row < rows && inside; row += kStripes) {\n    const double mean",
        "row <= rows && inside; row += kStripes) {\n    const double mean",
    ),
    (
        "means one too far",
        "row < rows && inside; row += kStripes) {\n    const double difference",
        "row <= rows && inside; row += kStripes) {\n    const double difference",
    ),
    ("within one stripe", "over_stripes<Sum>(within, shared) /", "within /"),
    (
        "the centre of one stripe",
        "over_stripes<Sum>(sum, shared) / double(rows)",
        "sum / double(rows)",
    ),
    ("between one stripe", "over_stripes<Sum>(between, shared) *", "between *"),
    ("equal means differ", "mean_of(0) : 0;", "0 : 0;"),
    ("to the first item", "out[item * cols + column] =", "out[column] ="),
    ("every stripe writes", "threadIdx.y > 0 || !inside", "!inside"),
    ("more noise than signal", "between <= within ? 0 :", "between <= 0 ? 0 :"),
)

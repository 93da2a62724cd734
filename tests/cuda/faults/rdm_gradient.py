"""Faults in rsa/cuda/rdm_gradient.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("entries in one order", "low = i < j ? i : j, high = i < j ? j : i", "low = i, high = j"),
    ("moments have no diagonal", "return diagonal ? low", "return false ? low"),
    (
        "entries one too far",
        "j < w.rows; j += blockDim.x) {\n    double weight = 0;",
        "j <= w.rows; j += blockDim.x) {\n    double weight = 0;",
    ),
    ("the diagonal has an entry", "if (i != j) {", "{"),
    ("no own part", "score * unit_element(w.own, k)", "0"),
    ("moments are entries", "if (w.moments) weight *= -sqrt(0.5);", ""),
    ("entries to the first row", "w.out[i * w.rows + j] = weight;", "w.out[j] = weight;"),
    (
        "entries of one thread",
        "sum = block_sum(sum, partial);\n  if (threadIdx.x == 0) w.sums",
        "if (threadIdx.x == 0) w.sums",
    ),
    ("every thread writes its sum", "if (threadIdx.x == 0) w.sums", "w.sums"),
    (
        "means one too far",
        "j < w.rows; j += blockDim.x) mean",
        "j <= w.rows; j += blockDim.x) mean",
    ),
    ("means of one thread", "mean = block_sum(mean, partial) /", "mean = mean /"),
    (
        "weights one too far",
        "j < w.rows; j += blockDim.x) {\n    if (i == j)",
        "j <= w.rows; j += blockDim.x) {\n    if (i == j)",
    ),
    ("squares are not squared", "if (squared) weight *= 2;", ""),
    ("no distance", "weight = distance == 0 ? 0 * weight : weight / distance;", ""),
    ("equal samples divide", "distance == 0 ? 0 * weight : weight", "weight"),
    ("units are forgotten", "weight /= w.item->unit;", "weight /= 1;"),
    ("diagonal of one thread", "sum = block_sum(sum, partial_row);", ""),
    (
        "sums share their room",
        "sum = block_sum(sum, partial_row);",
        "sum = block_sum(sum, partial);",
    ),
    ("every thread writes the diagonal", "if (threadIdx.x == 0) row[i]", "row[i]"),
    ("all rows are the first", "size_t(blockIdx.x) * cols", "0"),
    (
        "rows one too far",
        "j < cols; j += blockDim.x) {\n    along",
        "j <= cols; j += blockDim.x) {\n    along",
    ),
    ("directions of one thread", "along = block_sum(along, partial);", ""),
    ("lengths of one thread", "length = block_sum(length, partial_length);", ""),
    (
        "lengths share their room",
        "length = block_sum(length, partial_length);",
        "length = block_sum(length, partial);",
    ),
    (
        "projected one too far",
        "j < cols; j += blockDim.x) {\n    const double gradient",
        "j <= cols; j += blockDim.x) {\n    const double gradient",
    ),
    ("nothing is projected", "gradient - along * units[begin + j]", "gradient"),
    ("no direction divides", "length > 0 ? projected : 0 * gradient", "projected"),
)

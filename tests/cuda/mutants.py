"""Faults planted by mutate.py, one at a time, beside those it makes of every barrier itself."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    kernel: str
    """A file of csrc, without .cu."""
    fault: str
    old: str
    new: str


LAP = "assignment/cuda/lap"
MATCH = "assignment/cuda/match"
ELEMENTS = "core/cuda/elements"
JACOBI = "linalg/cuda/jacobi"
POLAR = "linalg/cuda/polar"
CENTRED = "core/cuda/centred"
GRID = "core/cuda/grid"
VARIATES = "cca/cuda/variates"
PROCRUSTES = "procrustes/cuda/procrustes"
GRAM = "kernels/cuda/gram"
BANDWIDTH = "kernels/cuda/bandwidth"
FLOW = "transport/cuda/flow"
PLANS = "transport/cuda/plans"

MUTANTS = (
    Mutant(LAP, "two steps share one half of the partial results", "parity ^= 1;", ""),
    Mutant(
        LAP,
        "rows overwrite each other's claim",
        "atomicMin(&p.row_of_column[best.key], i)",
        "p.row_of_column[best.key] = i",
    ),
    Mutant(
        LAP,
        "rows of columns take the room of rows",
        "p.row_of_column = arena.take<int>(cols)",
        "p.row_of_column = arena.take<int>(rows)",
    ),
    Mutant(LAP, "host asks for too little", ".add<short>(cols)\n      .add<short>(rows)", ""),
    Mutant(
        LAP,
        "columns one too far",
        "for (int j = thread, k = 0; j < cols; j += threads, ++k) {\n      if",
        "for (int j = thread, k = 0; j <= cols; j += threads, ++k) {\n      if",
    ),
    Mutant(LAP, "the row behind", "cost + size_t(row) * cols;", "cost + size_t(row + 1) * cols;"),
    Mutant(LAP, "distances never start", "p.distance[j] = INFINITY;", ";"),
    Mutant(
        LAP,
        "half a warp in the mask",
        "__shfl_xor_sync(kAllLanes, best.distance, step)",
        "__shfl_xor_sync(0x0000ffffu, best.distance, step)",
    ),
    Mutant(
        LAP,
        "threads without a column leave",
        "  SharedArena arena;",
        "  if (thread >= cols) return;\n  SharedArena arena;",
    ),
    Mutant(
        LAP,
        "problems share a place of the output",
        "p, out.cost + problem",
        "p, out.cost",
    ),
    Mutant(
        LAP,
        "wrong step between problems",
        "costs + problem * rows * cols",
        "costs + problem * rows * rows",
    ),
    Mutant(LAP, "scanned columns are scanned again", "if (scanned >> k & 1) continue;", ""),
    Mutant(LAP, "ties go to the highest column", "a.key < b.key", "a.key > b.key"),
    Mutant(
        LAP,
        "duals of scanned columns stay",
        "if (scanned >> k & 1) p.column_dual[j] +=",
        "if (false) p.column_dual[j] +=",
    ),
    Mutant(LAP, "the last failure is kept", "atomicMin(out.failure", "atomicMax(out.failure"),
    Mutant(
        LAP,
        "pairs of a tall matrix in any order",
        "written + __popc(all & ((1u << thread) - 1))",
        "written + __popc(all >> thread) - 1",
    ),
    Mutant(LAP, "the next tile overwrites the last", "written += __popc(all);", ""),
    Mutant(
        LAP,
        "least reduced cost of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const double other",
        "for (int step = 8; step > 0; step /= 2) {\n      const double other",
    ),
    Mutant(LAP, "slacks summed by one lane", "slack = warp_sum(slack);", ""),
    Mutant(LAP, "costs summed by one lane", "sum = warp_sum(sum);", ""),
    Mutant(LAP, "NaN is no fault", "invalid |= !(c > -INFINITY);", "invalid |= c == -INFINITY;"),
    Mutant(
        LAP,
        "columns left over have duals",
        "rows == cols && least < INFINITY",
        "least < INFINITY",
    ),
    Mutant(
        ELEMENTS,
        "elements one too far",
        "threadIdx.x; k < size; k += step) {\n    int64_t",
        "threadIdx.x; k <= size; k += step) {\n    int64_t",
    ),
    Mutant(
        ELEMENTS,
        "axes in the wrong order",
        "axis = in.ndim - 1; axis >= 0; --axis",
        "axis = 0; axis < in.ndim; ++axis",
    ),
    Mutant(ELEMENTS, "any that is not finite", "atomicMin(first, ", "atomicMax(first, "),
    Mutant(
        ELEMENTS,
        "a plain store among threads",
        "atomicMin(first, static_cast<unsigned long long>(k));",
        "*first = static_cast<unsigned long long>(k);",
    ),
    Mutant(ELEMENTS, "infinity is finite", "value - value == T(0)", "value == value"),
    Mutant(ELEMENTS, "small halves are zero", "ldexpf(float(fraction), -24)", "0.0f"),
    Mutant(
        ELEMENTS,
        "large halves are finite",
        "exponent == 31 ? 255u : exponent + 112",
        "exponent + 112",
    ),
    Mutant(
        ELEMENTS,
        "the look reads one too far",
        "threadIdx.x; k < size; k += step) {\n    const T",
        "threadIdx.x; k <= size; k += step) {\n    const T",
    ),
    Mutant(
        POLAR,
        "largest of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {",
        "for (int step = 8; step > 0; step /= 2) {",
    ),
    Mutant(
        POLAR,
        "largest of one warp",
        "largest = partial[w] > largest ? partial[w] : largest;",
        "",
    ),
    Mutant(POLAR, "infinity is finite", "finite = finite && value < INFINITY;", ""),
    Mutant(
        POLAR,
        "every thread's own opinion of what is finite",
        "finite = __syncthreads_and(finite);",
        "__syncthreads();",
    ),
    Mutant(POLAR, "squares of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    Mutant(POLAR, "zeros are divided by", "k < size && largest > 0; k", "k < size; k"),
    Mutant(
        POLAR,
        "elements one too far",
        "for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {\n    const double scaled",
        "for (int64_t k = threadIdx.x; k <= size; k += blockDim.x) {\n    const double scaled",
    ),
    Mutant(
        POLAR,
        "all norms in one place",
        "norm[blockIdx.x] = finite",
        "norm[0] = finite",
    ),
    Mutant(POLAR, "the identity in one matrix alone", "k % (n * n)", "k"),
    Mutant(POLAR, "the polynomial one too far", "k < total; k += step", "k <= total; k += step"),
    Mutant(POLAR, "products of one thread", "sum = block_sum(sum, partial);", ""),
    Mutant(
        POLAR,
        "all products in one place",
        "out[blockIdx.x] = sum * scale[blockIdx.x]",
        "out[0] = sum * scale[blockIdx.x]",
    ),
    Mutant(
        POLAR,
        "products of the first matrix",
        "double(p[begin + k]) * double(x[begin + k])",
        "double(p[k]) * double(x[begin + k])",
    ),
    Mutant(MATCH, "NaN is not the largest", "a > b || !(a == a) ? a : b", "a > b ? a : b"),
    Mutant(
        MATCH,
        "stripes share a place",
        "shared[stripe * kColumns + column] = value;",
        "shared[column] = value;",
    ),
    Mutant(
        MATCH,
        "one stripe is left out",
        "for (int s = 1; s < kStripes",
        "for (int s = 2; s < kStripes",
    ),
    Mutant(MATCH, "columns outside are written", "if (!inside) return;", ""),
    Mutant(
        MATCH,
        "every stripe counts",
        "if (constant && threadIdx.y == 0) {",
        "if (constant) {",
    ),
    Mutant(
        MATCH,
        "constant units are counted by a plain store",
        "atomicAdd(reinterpret_cast<unsigned long long*>(counter), 1ull);",
        "*counter += 1;",
    ),
    Mutant(
        MATCH,
        "items of one step",
        "size_t(blockIdx.y) * rows * cols + (inside",
        "size_t(blockIdx.y) * rows + (inside",
    ),
    Mutant(MATCH, "units are not centred", "/ largest - mean) / norm", "/ largest) / norm"),
    Mutant(
        MATCH,
        "a pair beyond the last",
        "k < pairs && matches; k += blockDim.x",
        "k <= pairs && matches; k += blockDim.x",
    ),
    Mutant(MATCH, "no partner is one", "if (i >= 0) partner[i]", "partner[i < 0 ? 0 : i]"),
    Mutant(
        MATCH,
        "the last of equal partners",
        "(other == best && there < where)",
        "(other == best && there > where)",
    ),
    Mutant(MATCH, "every lane its own unknown", "unknown = __any_sync(kAllLanes, unknown);", ""),
    Mutant(
        MATCH,
        "best of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const T other",
        "for (int step = 8; step > 0; step /= 2) {\n      const T other",
    ),
    Mutant(MATCH, "sum of one warp", "sum = block_sum(sum, partial);", ""),
    Mutant(JACOBI, "infinity is finite", "finite = finite && value < INFINITY;", ""),
    Mutant(
        JACOBI, "largest of one warp", "largest = partial[w] > largest ? partial[w] : largest;", ""
    ),
    Mutant(JACOBI, "products of one lane", "gamma = warp_sum(gamma);", ""),
    Mutant(JACOBI, "the wrong way round", "zeta < 0 ? T(-1) : T(1)", "zeta < 0 ? T(1) : T(-1)"),
    Mutant(JACOBI, "right vectors are not turned", "rotate(right_p, right_q, n);", ""),
    Mutant(
        JACOBI,
        "rounding errors have a direction",
        "norm * norm > negligible",
        "norm * norm > 0",
    ),
    Mutant(
        JACOBI,
        "a pair plays itself",
        "(round - k + players - 1) % (players - 1)",
        "(round - k + players) % (players - 1)",
    ),
    Mutant(JACOBI, "the pausing column is turned", "if (q >= n) continue;", ""),
    Mutant(JACOBI, "nothing is completed", "if (values[j] == 0) complete", "if (false) complete"),
    Mutant(
        JACOBI,
        "completed once",
        "for (int pass = 0; pass < 2; ++pass)",
        "for (int pass = 0; pass < 0; ++pass)",
    ),
    Mutant(
        JACOBI,
        "the most used unit vector",
        "column[i] < column[least]",
        "column[i] > column[least]",
    ),
    Mutant(JACOBI, "failures are not told", "atomicMin(svd.failure", "atomicMax(svd.failure"),
    Mutant(JACOBI, "lengths of one lane", "sqrt(warp_sum(sum))", "sqrt(sum)"),
    Mutant(JACOBI, "values stay scaled", "norm * scale : T(0)", "norm : T(0)"),
    Mutant(JACOBI, "equal values share a place", "(from[k] == from[j] && k < j)", "false"),
    Mutant(JACOBI, "ascending", "rank += from[k] > from[j]", "rank += from[k] < from[j]"),
    Mutant(JACOBI, "sum of one thread", "sum = block_sum(sum, partial);", ""),
    Mutant(JACOBI, "rows one too far", "k < total; k += step", "k <= total; k += step"),
    Mutant(JACOBI, "one factor for all", "values[k / m]", "values[0]"),
    Mutant(CENTRED, "NaN is not the largest", "a > b || !(a == a) ? a : b", "a > b ? a : b"),
    Mutant(
        CENTRED,
        "columns outside have a spread",
        "if (inside && threadIdx.y == 0) spreads[",
        "if (threadIdx.y == 0) spreads[",
    ),
    Mutant(
        CENTRED,
        "rows of the first item",
        "const size_t begin = item * rows * cols + (inside",
        "const size_t begin = (inside",
    ),
    Mutant(
        CENTRED,
        "half of the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n    value = Op::of(",
        "for (int step = 8; step > 0; step /= 2) {\n    value = Op::of(",
    ),
    Mutant(
        CENTRED,
        "spreads of the first columns",
        "k < cols; k += kColumns * kStripes",
        "k < cols && k < kColumns * kStripes; k += kColumns * kStripes",
    ),
    Mutant(
        CENTRED,
        "spreads one too far",
        "k < cols; k += kColumns * kStripes",
        "k <= cols; k += kColumns * kStripes",
    ),
    Mutant(CENTRED, "every block counts", "blockIdx.x == 0 && thread == 0", "thread == 0"),
    Mutant(CENTRED, "the wrong way round", ": -exponent", ": exponent"),
    Mutant(CENTRED, "infinity has a scale", "if (!(largest < INFINITY)) return NAN;", ""),
    Mutant(CENTRED, "always centred", "i < rows && center; i", "i < rows; i"),
    Mutant(
        CENTRED,
        "columns outside are written",
        "if (inside) to.out[begin",
        "to.out[begin",
    ),
    Mutant(
        CENTRED,
        "squares of one stripe",
        "squares = over_stripes<Sum>(squares, shared);",
        "",
    ),
    Mutant(
        CENTRED,
        "squares of the first item",
        "squares += centred.squares[item * cols + k];",
        "squares += centred.squares[k];",
    ),
    Mutant(CENTRED, "norm of one thread", "sqrt(block_sum(squares, partial))", "sqrt(squares)"),
    Mutant(CENTRED, "zeros are divided by", "if (!constant) out[k]", "out[k]"),
    Mutant(CENTRED, "elements one too far", "k < size; k += step", "k <= size; k += step"),
    Mutant(
        CENTRED,
        "norms of scaled data",
        "norm / centred.unit[item]",
        "norm",
    ),
    Mutant(
        PROCRUSTES,
        "rounding has a direction",
        "value > least ? r.alpha",
        "value > 0 ? r.alpha",
    ),
    Mutant(PROCRUSTES, "values in no units", "(value * r.norms[item])", "value"),
    Mutant(
        PROCRUSTES, "constant units count", "r.cols - r.constant_units[item]", "r.cols * 1000000"
    ),
    Mutant(
        PROCRUSTES,
        "values beyond the last",
        "k < r.rank; k += blockDim.x) {\n    const double value",
        "k <= r.rank; k += blockDim.x) {\n    const double value",
    ),
    Mutant(
        PROCRUSTES,
        "reshaped norm of one thread",
        "sqrt(block_sum(squares, partial))",
        "sqrt(squares)",
    ),
    Mutant(PROCRUSTES, "zeros are divided by", "if (norm > 0) values[k]", "values[k]"),
    Mutant(PROCRUSTES, "distance of one thread", "sum = block_sum(sum, partial);", ""),
    Mutant(
        PROCRUSTES,
        "distances one too far",
        "threadIdx.x; k < size; k += blockDim.x",
        "threadIdx.x; k <= size; k += blockDim.x",
    ),
    Mutant(PROCRUSTES, "always the first of y", "y[pair * step + k]", "y[k]"),
    Mutant(PROCRUSTES, "all distances in one place", "out[pair] = sum", "out[0] = sum"),
    Mutant(PROCRUSTES, "negative gaps", "gap < 0 ? 0 : gap", "gap"),
    Mutant(PROCRUSTES, "distances of large gaps", "&& gap < kLargeGap", ""),
    Mutant(PROCRUSTES, "constant items have a score", "norm_x == 0 || norm_y == 0", "norm_x == 0"),
    Mutant(
        PROCRUSTES,
        "close pairs are counted by a plain store",
        "atomicAdd(reinterpret_cast<unsigned long long*>(close), 1ull)",
        "*close += 1",
    ),
    Mutant(
        PROCRUSTES, "pairs one too far", "k < gaps.count; k += step", "k <= gaps.count; k += step"
    ),
    Mutant(
        PROCRUSTES, "nothing is mirrored", "scores[i * count + j] = scores[j * count + i];", ";"
    ),
    Mutant(
        PROCRUSTES,
        "the diagonal is mirrored alone",
        "if (threadIdx.x == 0) {\n    const double gap",
        "if (i == 0) {\n    const double gap",
    ),
    Mutant(
        GRAM,
        "norms one too far",
        "for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) {",
        "for (int64_t j = threadIdx.x; j <= cols; j += blockDim.x) {",
    ),
    Mutant(
        GRAM,
        "norm of one thread",
        "sum = block_sum(sum, partial);\n  if (threadIdx.x == 0) norms[row] = sum;",
        "if (threadIdx.x == 0) norms[row] = sum;",
    ),
    Mutant(
        GRAM,
        "norms of the first row",
        "double(x[row * cols + j]) * double(x[row * cols + j])",
        "double(x[j]) * double(x[j])",
    ),
    Mutant(GRAM, "norms of one lane", "norms = warp_sum(norms);", ""),
    Mutant(GRAM, "columns one too far", "k < facts.cols; k += 32", "k <= facts.cols; k += 32"),
    Mutant(
        GRAM,
        "the lower of the middle",
        "(sqrt(facts.middle[0]) + sqrt(facts.middle[1])) / 2",
        "sqrt(facts.middle[0])",
    ),
    Mutant(
        GRAM,
        "no median is a bandwidth",
        "if (median == 0 && unit != 0) out.fault = kNoBandwidth;",
        "",
    ),
    Mutant(
        GRAM,
        "every lane writes",
        "if (threadIdx.x > 0) return;\n  const double unit",
        "const double unit",
    ),
    Mutant(GRAM, "scales are forgotten", "gamma / (unit * unit)", "gamma"),
    Mutant(
        GRAM,
        "kernels of the first row",
        "values = block.values + k * block.step + size_t(blockIdx.x) * block.rows",
        "values = block.values + k * block.step",
    ),
    Mutant(GRAM, "the diagonal stays", "if (options.unbiased && j == row) value = 0;", ""),
    Mutant(
        GRAM,
        "nothing is shifted",
        "? square : 0 * square)) - item.shift;",
        "? square : 0 * square));",
    ),
    Mutant(
        GRAM,
        "values one too far",
        "j < block.rows; j += blockDim.x",
        "j <= block.rows; j += blockDim.x",
    ),
    Mutant(GRAM, "row sums of one thread", "sum = block_sum(sum, partial);\n  squares", "squares"),
    Mutant(GRAM, "row squares of one thread", "squares = block_sum(squares, partial_squares);", ""),
    Mutant(
        GRAM,
        "sums share their room",
        "squares = block_sum(squares, partial_squares);",
        "squares = block_sum(squares, partial);",
    ),
    Mutant(
        GRAM,
        "sums of the first item",
        "block.row_sums[k * block.rows + row] = sum;",
        "block.row_sums[row] = sum;",
    ),
    Mutant(GRAM, "the last part is left out", "part < parts; ++part", "part < parts - 1; ++part"),
    Mutant(GRAM, "sums one too far", "k < size; k += step", "k <= size; k += step"),
    Mutant(GRAM, "what was there is forgotten", "double sum = total[k];", "double sum = 0;"),
    Mutant(
        GRAM,
        "products of one thread",
        "sum = block_sum(sum, partial);\n  if (threadIdx.x == 0) out[",
        "if (threadIdx.x == 0) out[",
    ),
    Mutant(GRAM, "products one too far", "j < rows; j += blockDim.x", "j <= rows; j += blockDim.x"),
    Mutant(
        GRAM,
        "rows from the first on",
        "out[size_t(blockIdx.y) * rows + first + blockIdx.x]",
        "out[size_t(blockIdx.y) * rows + blockIdx.x]",
    ),
    Mutant(
        GRAM,
        "sums of one thread",
        "    sum = block_sum(sum, partial);\n    __syncthreads();",
        "    __syncthreads();",
    ),
    Mutant(GRAM, "rows one too far", "r < s.rows; r += blockDim.x", "r <= s.rows; r += blockDim.x"),
    Mutant(
        GRAM,
        "biased and unbiased alike",
        "unbiased ? 2 * rows / (n - 2) : 2 * rows / n",
        "2 * rows / n",
    ),
    Mutant(GRAM, "negative is positive", "!(self_i <= s.rounding * own_i)", "true"),
    Mutant(GRAM, "units are forgotten", "score / a.power / b.power", "score"),
    Mutant(
        GRAM,
        "every pair tells of its item",
        "if (s.paired || j == 0) s.status_a",
        "if (true) s.status_a",
    ),
    Mutant(GRAM, "items of the first list", "s.items_b[j]", "s.items_a[j]"),
    Mutant(
        BANDWIDTH, "small distances from products", "if (square < kSmall * norms) {", "if (false) {"
    ),
    Mutant(
        BANDWIDTH,
        "distances one too far",
        "q < block.rows; q += blockDim.x",
        "q <= block.rows; q += blockDim.x",
    ),
    Mutant(
        BANDWIDTH,
        "rows from the first on",
        "const int64_t p = block.first + blockIdx.x;",
        "const int64_t p = blockIdx.x;",
    ),
    Mutant(
        BANDWIDTH, "counts start undefined", "selection->counts[threadIdx.x] = 0;\n  if", ";\n  if"
    ),
    Mutant(BANDWIDTH, "the upper middle", "(size - 1) / 2", "size / 2"),
    Mutant(
        BANDWIDTH,
        "counts of a block start undefined",
        "for (unsigned k = threadIdx.x; k < kDigits; k += blockDim.x) counts[k] = 0;",
        "",
    ),
    Mutant(
        BANDWIDTH,
        "the diagonal counts",
        "q < p; q += blockDim.x) {\n    const auto bits = bits_of(row[q]);\n    const b",
        "q <= p; q += blockDim.x) {\n    const auto bits = bits_of(row[q]);\n    const b",
    ),
    Mutant(BANDWIDTH, "other beginnings count", "if (begins) atomicAdd", "atomicAdd"),
    Mutant(
        BANDWIDTH,
        "a plain store among threads",
        "atomicAdd(&counts[bits >> shift & 255], 1u)",
        "counts[bits >> shift & 255] += 1u",
    ),
    Mutant(
        BANDWIDTH,
        "a plain store among blocks",
        "atomicAdd(&selection->counts[k], static_cast<unsigned long long>(counts[k]))",
        "selection->counts[k] += counts[k]",
    ),
    Mutant(BANDWIDTH, "the digit before", "if (place < here) break;", "if (place <= here) break;"),
    Mutant(BANDWIDTH, "places are not counted down", "place -= here;", ""),
    Mutant(
        BANDWIDTH,
        "counts are kept",
        "for (int k = 0; k < kDigits; ++k) selection->counts[k] = 0;",
        "",
    ),
    Mutant(
        BANDWIDTH,
        "the number itself is above",
        "bits > found && bits < least",
        "bits >= found && bits < least",
    ),
    Mutant(
        BANDWIDTH,
        "the largest above",
        "atomicMin(&selection->above, least)",
        "atomicMax(&selection->above, least)",
    ),
    Mutant(
        BANDWIDTH, "the middle is one number", "size % 2 == 1 || selection", "true || selection"
    ),
    Mutant(BANDWIDTH, "equal numbers are two", "selection->place + 1 < selection->equal", "false"),
    Mutant(GRID, "one score too far", "j < i;", "j <= i + 1;"),
    Mutant(
        GRID,
        "upper from lower",
        "scores[i * count + j] = scores[j * count + i]",
        "scores[j * count + i] = scores[i * count + j]",
    ),
    Mutant(GRID, "only as many as threads", "j += blockDim.x", "j += count"),
    Mutant(MATCH, "partners nobody asked for", "if (!out.assignment) return;", ""),
    Mutant(
        MATCH,
        "best partners nobody asked for",
        "if (out.assignment) out.assignment",
        "out.assignment",
    ),
    Mutant(
        MATCH,
        "every item has the first one's constant units of x",
        "out.constant_x.step * item",
        "0 * item",
    ),
    Mutant(
        MATCH,
        "every item has the first one's constant units of y",
        "out.constant_y.step * item",
        "0 * item",
    ),
    Mutant(
        VARIATES,
        "equal values before each other",
        "values[j] == values[k] && j < k",
        "values[j] == values[k] && j <= k",
    ),
    Mutant(VARIATES, "equal values share a place", " || (values[j] == values[k] && j < k)", ""),
    Mutant(
        VARIATES,
        "one value too far",
        "for (int64_t j = 0; j < size; ++j)",
        "for (int64_t j = 0; j <= size; ++j)",
    ),
    Mutant(VARIATES, "rank of x alone", "return x < y ? x : y;", "return x;"),
    Mutant(VARIATES, "rank of y alone", "return x < y ? x : y;", "return y;"),
    Mutant(
        VARIATES,
        "every pair has the first one's ranks",
        "ranks.y[pair * ranks.step_y]",
        "ranks.y[0]",
    ),
    Mutant(
        VARIATES, "every pair has the first one's x", "ranks.x[pair * ranks.step_x]", "ranks.x[0]"
    ),
    Mutant(
        VARIATES,
        "no largest value",
        "largest = values[k] > largest ? values[k] : largest;",
        "largest = values[k];",
    ),
    Mutant(VARIATES, "constant units have variance", "w.cols - w.constant_units[item]", "w.cols"),
    Mutant(VARIATES, "rounding counts", "s > least && needed", "s > 0 && needed"),
    Mutant(VARIATES, "all variance counts", "s > least && needed", "s > least"),
    Mutant(VARIATES, "values beyond the last", "    if (k < w.rank) {", "    if (k <= w.rank) {"),
    Mutant(VARIATES, "values of one round", "first += blockDim.x", "first += w.rank"),
    Mutant(
        VARIATES,
        "rank of one thread",
        "  rank = block_sum(rank, partial);  // its barrier: all values have been read\n",
        "  __syncthreads();\n",
    ),
    Mutant(
        VARIATES,
        "weights one too far",
        "k < w.rank; k += blockDim.x",
        "k <= w.rank; k += blockDim.x",
    ),
    Mutant(VARIATES, "no ridge", "ridge > 0 ? s / sqrt(s * s + ridge) : 1", "1"),
    Mutant(
        VARIATES, "means one too far", "k < ranks.count; k += step", "k <= ranks.count; k += step"
    ),
    Mutant(VARIATES, "nothing is beyond the rank", "place < rank ? found", "place < size ? found"),
    Mutant(VARIATES, "leading ones too far", "k < total; k += step", "k <= total; k += step"),
    Mutant(
        VARIATES,
        "all correlations have weight",
        "if (before(rho, found.size, r).number >= rank) continue;  // a whole warp",
        "",
    ),
    Mutant(
        VARIATES, "projections one too far", "j < found.units; j += 32", "j <= found.units; j += 32"
    ),
    Mutant(VARIATES, "weight of one lane", "    weight = warp_sum(weight);\n", ""),
    Mutant(VARIATES, "sum of one thread", "  sum = block_sum(sum, partial);\n", ""),
    Mutant(VARIATES, "weights of one thread", "  total = block_sum(total, partial);\n", ""),
    Mutant(
        FLOW,
        "two rows take one place in the tree",
        "p.tree[atomicAdd(p.in_tree, 1)] = short(i);",
        "p.tree[(*p.in_tree)++] = short(i);",
    ),
    Mutant(
        FLOW, "rows of the tree enter it again", " || p.entry[i] != kNone) continue;", ") continue;"
    ),
    Mutant(
        FLOW,
        "rows one too far",
        "for (int i = thread; i < p.rows; i += threads) {\n      if",
        "for (int i = thread; i <= p.rows; i += threads) {\n      if",
    ),
    Mutant(
        FLOW,
        "columns one too far",
        "for (int j = int(threadIdx.x), k = 0; j < p.cols; j += int(blockDim.x), ++k) {\n"
        "    if (scanned >> k & 1) continue;\n    const double",
        "for (int j = int(threadIdx.x), k = 0; j <= p.cols; j += int(blockDim.x), ++k) {\n"
        "    if (scanned >> k & 1) continue;\n    const double",
    ),
    Mutant(
        FLOW,
        "scanned columns are scanned again",
        "if (scanned >> k & 1) continue;\n    const Nearest",
        "const Nearest",
    ),
    Mutant(FLOW, "full columns have room", "int(p.room[j] == 0) << kFullBit | j", "j"),
    Mutant(FLOW, "a path takes more than there is", "units = sent < units ? sent : units;", ""),
    Mutant(
        FLOW, "a column takes more than it can", "most < p.room[sink] ? most : p.room[sink]", "most"
    ),
    Mutant(FLOW, "columns never fill", "p.room[sink] = short(p.room[sink] - units);", ""),
    Mutant(FLOW, "nothing is taken back", "p.sent(i, j) = short(p.sent(i, j) - units);", ""),
    Mutant(FLOW, "distances of the last search", "p.distance[j] = INFINITY;", ""),
    Mutant(
        FLOW,
        "rows stay in the tree",
        "for (int i = thread; i < p.rows; i += threads) p.entry[i] = i == root ? kRoot : kNone;",
        "if (thread == 0) p.entry[root] = kRoot;",
    ),
    Mutant(
        FLOW,
        "duals of scanned columns stay",
        "if (scanned >> k & 1) p.column_dual[j] +=",
        "if (false) p.column_dual[j] +=",
    ),
    Mutant(FLOW, "NaN is no fault", "invalid |= !(c > -INFINITY);", "invalid |= c == -INFINITY;"),
    Mutant(
        FLOW,
        "units of an earlier use",
        "k += blockDim.x) p.units[k] = 0;",
        "k += blockDim.x) continue;",
    ),
    Mutant(
        FLOW, "host asks for too little", "      .add<short>(rows)\n      .add<short>(rows)\n", ""
    ),
    Mutant(
        FLOW,
        "room of columns takes that of rows",
        "p.room = arena.take<short>(p.cols);",
        "p.room = arena.take<short>(p.rows);",
    ),
    Mutant(
        FLOW,
        "problems share a place of the output",
        "out.cost[problem] = total * unit",
        "out.cost[0] = total * unit",
    ),
    Mutant(
        FLOW,
        "wrong step between problems",
        "costs + problem * size",
        "costs + problem * rows * rows",
    ),
    Mutant(
        FLOW,
        "least reduced cost of half the lanes",
        "for (int step = 16; step > 0; step /= 2) {\n      const double other",
        "for (int step = 8; step > 0; step /= 2) {\n      const double other",
    ),
    Mutant(
        FLOW, "slack of single units", "sum += double(units) * value(i, j)", "sum += value(i, j)"
    ),
    Mutant(FLOW, "the last failure is kept", "atomicMin(out.failure", "atomicMax(out.failure"),
    Mutant(
        FLOW,
        "duals of the wrong sign",
        "row_dual[i] = double(p.sign) * p.distance[i]",
        "row_dual[i] = p.distance[i]",
    ),
    Mutant(
        PLANS, "pairs one too far", "k < count * side; k += step", "k <= count * side; k += step"
    ),
    Mutant(PLANS, "costs of pairs are not means", "out.cost[item] /= double(side);", ""),
    Mutant(
        PLANS,
        "plans one too far",
        "k < size; k += step) {\n    const int64_t item = k / (rows * cols)",
        "k <= size; k += step) {\n    const int64_t item = k / (rows * cols)",
    ),
    Mutant(
        PLANS, "tall plans like wide ones", "transposed ? inside : j * rows + i", "j * rows + i"
    ),
    Mutant(PLANS, "plans of nothing", "is_known = known[item] == known[item];", "is_known = true;"),
    Mutant(
        PLANS,
        "columns one too far",
        "k < size; k += step) {\n    const int64_t item = k / cols.cols;",
        "k <= size; k += step) {\n    const int64_t item = k / cols.cols;",
    ),
    Mutant(PLANS, "senders one too far", "mine < rows.cols ?", "mine <= rows.cols ?"),
    Mutant(
        PLANS,
        "only the first sender",
        "for (; senders; senders &= senders - 1)",
        "for (; senders; senders = 0)",
    ),
    Mutant(PLANS, "squares summed by one lane", "sum = warp_sum(sum);", ""),
    Mutant(
        PLANS,
        "samples one too far",
        "for (int64_t r = lane; r < samples; r += 32)",
        "for (int64_t r = lane; r <= samples; r += 32)",
    ),
    Mutant(PLANS, "units of the first item", "rows.data + item * rows.step", "rows.data"),
    Mutant(
        PLANS, "contributions one too far", "j < cols.cols && squares", "j <= cols.cols && squares"
    ),
    Mutant(PLANS, "contributions summed by one thread", "sum = block_sum(sum, partial);", ""),
    Mutant(
        PLANS,
        "constant items are scored",
        "total == total && !all_constant(rows, item)",
        "total == total",
    ),
    Mutant(
        PLANS,
        "items one too far",
        "for (int64_t j = threadIdx.x; j < cols; j",
        "for (int64_t j = threadIdx.x; j <= cols; j",
    ),
    Mutant(PLANS, "a vote of the first thread", "unknown = __syncthreads_or(unknown);", ""),
)

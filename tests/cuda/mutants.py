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
KERNELS = (LAP, MATCH, ELEMENTS, JACOBI, POLAR)

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
        "atomicAdd(reinterpret_cast<unsigned long long*>(constant_units + 2 * blockIdx.y), 1ull);",
        "constant_units[2 * blockIdx.y] += 1;",
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
)

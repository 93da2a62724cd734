# The compiled engine. Inputs and outputs are NumPy arrays that _array.py has checked; outputs are
# allocated by the caller and filled in place.

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

class EngineConvergenceError(Exception): ...

# core
def simd() -> str: ...
def blas() -> str: ...
def first_nonfinite(array: Array, threads: int) -> int: ...

# assignment
def linear_sum_assignment(
    cost: Array, maximize: bool, row_ind: Array, col_ind: Array, threads: int
) -> None: ...
def assignment(
    cost: Array,
    maximize: bool,
    row_start: Array | None,
    column_start: Array | None,
    row_ind: Array,
    col_ind: Array,
    total: Array,
    row_dual: Array,
    column_dual: Array,
    gap: Array,
    threads: int,
) -> None: ...
def match_units(
    matching: str,
    x: Array,
    y: Array,
    score: Array,
    assignment: Array,
    constant_units: Array,
    threads: int,
) -> None: ...
def unit_columns(x: Array, out: Array) -> int: ...
def match_units_cross(
    matching: str,
    a: list[Array],
    constant_a: list[int],
    b: list[Array] | None,
    constant_b: list[int],
    score: Array,
    threads: int,
) -> None: ...

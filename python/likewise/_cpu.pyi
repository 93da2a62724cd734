# The engine on CPUs: what both engines have, for NumPy arrays and a number of threads, and this.

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from likewise._engine import *

Array = NDArray[Any]

class EngineConvergenceError(Exception): ...

# core
def simd() -> str: ...
def blas() -> str: ...
def no_cuda() -> str: ...
def first_nonfinite(array: Array, threads: int) -> int: ...

# at_once: of small matrices of which nothing is to be said, None of all else
def procrustes_at_once(
    options: tuple[bool, bool, float, str],
) -> Callable[[Any, Any], Any]: ...
def kernel_at_once(
    options: tuple[str, str, bool, float, bool, int, float, float],
) -> Callable[[Any, Any], Any]: ...
def assignment_at_once(cost: Any, maximize: bool) -> tuple[Array, Array] | None: ...

# assignment
def match_reordered(
    x: Array, y: Array, orders: Array, scores: Array, matching: str, threads: int
) -> None: ...
def unit_columns(x: Array, out: Array) -> int: ...

# information: codes (units, samples) are uint8, counts int64
def mutual_information(
    x: Array, y: Array, bins: int, correct: bool, out: Array, threads: int
) -> None: ...
def information_of_counts(counts: Array, correct: bool, out: Array, threads: int) -> None: ...
def add_joint_counts(x: Array, y: Array, counts: Array, threads: int) -> None: ...

UNKNOWN_PAIR: int

# procrustes
def procrustes_reordered(
    x: Array,
    y: Array,
    orders: Array,
    scores: Array,
    options: tuple[bool, bool, float, str],
    run: int,
) -> None: ...

# transport
def soft_match_reordered(
    x: Array, y: Array, orders: Array, scores: Array, options: tuple[bool, float], threads: int
) -> None: ...

# regression
def ridge_predictivity_of_moments(
    samples: list[int],
    gram: list[Array],
    sum: list[Array],
    cross: list[Array],
    target_sum: list[Array],
    target_squares: list[Array],
    penalties: list[float],
    correlation: Array,
    determination: Array,
    choice: Array,
) -> None: ...

# rsa
def compared_rdms(x: Array, out: Array, comparison: str, threads: int) -> None: ...

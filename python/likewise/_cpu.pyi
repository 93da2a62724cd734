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

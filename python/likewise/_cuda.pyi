"""The CUDA engine. Arrays are DeviceArray, contiguous float32 or float64 where not said otherwise;
every function takes last where it runs."""

from collections.abc import Callable
from typing import Any

from numpy import dtype, ndarray

from likewise._engine import *

most_assigned: int
most_transported: int
status_facts: int

class DeviceError(RuntimeError): ...
class OutOfMemoryError(MemoryError): ...

class DeviceArray:
    def __init__(self, owner: Any, stream: int) -> None: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def dtype(self) -> dtype[Any]: ...
    @property
    def owner(self) -> Any: ...
    @property
    def contiguous(self) -> bool: ...
    def broadcast_to(self, shape: list[int]) -> DeviceArray: ...
    def strided(self, shape: list[int], strides: list[int], first: int) -> DeviceArray: ...

class Run:
    def __init__(
        self,
        stream: int,
        device: int,
        allocate: Callable[[int], Any],
        status: DeviceArray | None,
    ) -> None: ...
    def look(self, array: DeviceArray) -> None: ...
    def finish(self, also: list[DeviceArray]) -> list[int]: ...

# core
def why_not(device: int = -1) -> str: ...
def copy(array: DeviceArray, out: DeviceArray, run: Run) -> None: ...
def fill_zeros(array: DeviceArray, run: Run) -> None: ...
def count_infinite(arrays: list[DeviceArray], counts: DeviceArray, run: Run) -> None: ...
def download(array: DeviceArray, host: ndarray[Any, Any], run: Run) -> None: ...
def upload(host: ndarray[Any, Any], array: DeviceArray, run: Run) -> None: ...

# inference
def gather_rows(
    sides: list[DeviceArray], rows: ndarray[Any, Any], outs: list[DeviceArray], run: Run
) -> None: ...

# linalg
def set_library_directories(directories: list[str]) -> None: ...

# offload
class Offload:
    """A device for arrays in host memory: its stream, its memory, and three buffers for items."""

    buffers: int

    def __init__(self, device: int) -> None: ...
    @property
    def device(self) -> int: ...
    @property
    def stream(self) -> int: ...
    @property
    def free_bytes(self) -> int: ...
    def empty(self, shape: list[int], dtype: str) -> DeviceArray: ...
    def bytes(self, count: int) -> DeviceArray: ...
    def make_buffers(self, bytes: int) -> None: ...
    def upload(self, buffer: int, items: list[ndarray[Any, Any]]) -> list[DeviceArray]: ...
    def acquire(self, buffer: int) -> None: ...
    def release(self, buffer: int) -> None: ...

# reduce
def position_means(x: DeviceArray, units_first: bool, out: DeviceArray, run: Run) -> None: ...

# regression
_LassoOptions = tuple[list[int], int, list[float], float]
_RidgeOptions = tuple[list[int], int, list[float], bool, bool]

def lasso_paths(
    x: DeviceArray,
    y: DeviceArray,
    score: DeviceArray,
    alphas: DeviceArray,
    correlation: DeviceArray,
    loss: DeviceArray,
    used: DeviceArray,
    coefficients: DeviceArray,
    objective: DeviceArray,
    gap: DeviceArray,
    constant_units: DeviceArray,
    missed: DeviceArray,
    options: _LassoOptions,
    run: Run,
) -> None: ...
def ridge_pairs(
    x: DeviceArray,
    y: DeviceArray,
    score: DeviceArray,
    correlation: DeviceArray,
    alpha: DeviceArray,
    mean_correlation: DeviceArray,
    determination: DeviceArray,
    constant_units: DeviceArray,
    choices: DeviceArray,
    options: _RidgeOptions,
    run: Run,
) -> None: ...
def ridge_scores(
    a: list[DeviceArray],
    b: list[DeviceArray],
    symmetric: bool,
    scores: DeviceArray,
    constant_units: DeviceArray,
    choices: DeviceArray,
    options: _RidgeOptions,
    run: Run,
) -> None: ...
def ridge_errors(
    x: DeviceArray,
    y: DeviceArray,
    errors: DeviceArray,
    alphas: DeviceArray,
    constant_units: DeviceArray,
    options: _RidgeOptions,
    run: Run,
) -> None: ...

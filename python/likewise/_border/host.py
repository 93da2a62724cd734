"""Array libraries of the CPU, for which NumPy makes results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:  # numpy.typing takes milliseconds to import
    Array = np.ndarray

__all__ = ["CPU", "NUMPY", "Array", "Library"]

CPU = "the CPU"


class Library(NamedTuple):
    """An array library of the CPU, for which NumPy makes results; see ``_device`` for the other."""

    name: str
    give: Callable[[Array], Any]
    """A NumPy array as one of this library."""

    @property
    def engine(self) -> Any:
        """The module whose functions take these arrays."""
        return _cpu

    @property
    def run(self) -> int:
        """What they take last: how many threads they may use."""
        return _engine.threads()

    @property
    def place(self) -> str:
        """Where the arrays are."""
        return CPU

    def given(self, value: Any) -> Any:
        """An array that another call of ours gave."""
        return value

    def kept(self, view: Any) -> Any:
        """An array that a later call will be given."""
        return view

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array for the engine to fill."""
        return np.empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array of zeros."""
        return np.zeros(shape, dtype)

    def cast(self, view: Array, dtype: Any) -> Array:
        """The view itself, or a copy of another type, which repeats what the view does."""
        if view.dtype == dtype:
            return view
        once = tuple(slice(1 if stride == 0 else None) for stride in view.strides)
        copy = np.asarray(view[once]).astype(dtype)
        return copy if copy.shape == view.shape else np.broadcast_to(copy, view.shape)

    def infinite(self, *views: Array) -> Array:
        """How many elements of each are infinite."""
        return np.array([np.isinf(view).sum() for view in views])

    def contiguous(self, view: Array, shape: tuple[int, ...]) -> Array:
        """The view broadcast to a shape, in C order."""
        return np.ascontiguousarray(np.broadcast_to(view, shape)).reshape(shape)

    def copied(self, view: Array) -> Array:
        """A copy in C order."""
        return np.array(view, order="C")

    def reshaped(self, view: Array, shape: tuple[int, ...]) -> Any:
        """The caller's array of a view in another shape."""
        return self.give(np.ascontiguousarray(view.reshape(shape)))

    def strided(
        self, view: Array, shape: tuple[int, ...], strides: tuple[int, ...], first: int
    ) -> Array:
        """Elements of the view in C order, from the first on, by steps in elements."""
        flat = np.ascontiguousarray(view).reshape(-1)[first:]
        steps = [stride * view.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(flat, shape, steps)

    def position_means(self, view: Array, units_first: bool, shape: tuple[int, ...]) -> Array:
        """Means over positions, of maps or sequences, summed in double."""
        maps = view.reshape(*shape, -1) if units_first else view.swapaxes(1, 2)
        means: Array = maps.mean(axis=2, dtype=np.float64).astype(view.dtype)
        return means

    def broadcast(self, view: Array, shape: tuple[int, ...]) -> Array:
        """The view with axes that repeat."""
        return np.broadcast_to(view, shape)

    def on_cpu(self, views: Sequence[Array], why: str = "") -> tuple[Sequence[Array], Library]:
        """For what a device does not offer: these views and this library are of the CPU already."""
        return views, self

    def host(self, array: Array) -> Array:
        """The array as NumPy's."""
        return array

    @property
    def block_bytes(self) -> int:
        """Of copies of samples that are compared at a time."""
        return 32 * 2**20

    @property
    def coarse(self) -> bool:
        """Whether float32 had no digits for what was compared; CPUs go on in double themselves."""
        return False

    def parts(self) -> AbstractContextManager[None]:
        """Nothing inside waits or finishes the call."""
        return nullcontext()

    def take(self, view: Array, rows: Array) -> Array:
        """``(k, size, d)``: these rows ``(k, size)`` of a representation ``(n, d)``."""
        return view[rows]

    def sent(self, array: Array) -> Array:
        """NumPy's array, of float64 or int64, where the call computes."""
        return array

    def finish(self, *also: Array, items: int = 1) -> list[Array] | None:
        """Nothing is left to be done on CPUs; these arrays are there already."""
        return [*also]


def _give_numpy(array: Array) -> Any:
    return array[()]


NUMPY = Library("numpy", _give_numpy)

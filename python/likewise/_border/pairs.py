"""Representations at the border: pairs and collections of arrays with samples and units.

What :mod:`likewise._border.arrays` reads has the shapes that the measures need, or is refused here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from likewise import _cpu
from likewise._border import device as _device
from likewise._border.arrays import NUMPY, Array, Library, read, require_finite
from likewise.errors import InputTypeError, OverflowWarning, is_quiet, warn

__all__ = [
    "Counting",
    "Found",
    "Items",
    "Pair",
    "batch_size",
    "first_of_repeats",
    "give_scores",
    "narrowed",
    "read_collections",
    "read_items",
    "read_pair",
    "require_no_overflow",
    "require_representation",
]

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


class Pair(NamedTuple):
    """Two representations ready for the engine: same dtype, samples and batch axes."""

    x: Any
    y: Any
    batch: tuple[int, ...]
    library: Any
    unchecked: bool = False
    """Nobody has looked for NaN and infinity yet, and the caller wants it done."""

    def in_double(self) -> Pair:
        """The same in float64."""
        wide = [self.library.cast(side, np.dtype(np.float64)) for side in (self.x, self.y)]
        return self._replace(x=wide[0], y=wide[1])

    def require_finite(self, function: str) -> None:
        """Raise ``ValueError`` for a pair in which the CPU's engine met what is not finite."""
        require_finite(function, "x", self.x)
        require_finite(function, "y", self.y)
        raise ValueError(f"{function}: differences within x or y overflow float64")

    def on_cpu(self, *why: str) -> Pair:
        """The same for a computation that the device does not offer; see the library's."""
        (x, y), library = self.library.on_cpu([self.x, self.y], *why)
        return self._replace(x=x, y=y, library=library)


def read_pair(
    function: str,
    x: Any,
    y: Any,
    *,
    check_finite: bool = True,
    min_samples: int = 2,
    look: bool = True,
) -> Pair:
    """Two representations ``(..., n, dx)`` and ``(..., n, dy)`` with broadcast batch axes.

    ``look=False``: on CPUs `function` says itself what it finds in its numbers.
    """
    if (
        type(x) is np.ndarray
        and type(y) is np.ndarray
        and x.dtype is y.dtype
        and x.dtype in _FLOATS
        and x.flags.aligned
        and y.flags.aligned
        and x.ndim == 2
        and y.ndim == 2
    ):
        library = NUMPY
    else:
        # On CPUs numbers are looked at once the shapes are known to be right.
        on_device = _device.is_device_array(x) or _device.is_device_array(y)
        (x, y), library = read(function, check_finite and on_device, x=x, y=y)
    if x.ndim >= 2 and y.ndim >= 2 and x.shape[-2] != y.shape[-2]:
        raise ValueError(
            f"{function}: x and y must have the same number of samples (axis -2), got shapes "
            f"{x.shape} and {y.shape}"
        )
    require_representation(function, "x", x, min_samples)
    require_representation(function, "y", y, min_samples)
    batch: tuple[int, ...] = ()
    if x.ndim > 2 or y.ndim > 2:
        try:
            batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        except ValueError:
            raise ValueError(
                f"{function}: the leading (batch) axes of x and y must broadcast, got shapes "
                f"{x.shape} and {y.shape}"
            ) from None
    unchecked = check_finite and library.engine is _cpu
    if unchecked and look:
        require_finite(function, "x", x)
        require_finite(function, "y", y)
        unchecked = False
    if batch:
        x = library.broadcast(x, batch + x.shape[-2:])
        y = library.broadcast(y, batch + y.shape[-2:])
    return Pair(x, y, batch, library, unchecked)


class Found(NamedTuple):
    """What the engine counted in the items of one call."""

    counts: Array
    """``(kinds, items)``: constant units, then what the measure counts besides."""
    widths: Array
    """Number of units of every item."""
    rows: int
    """How many of the items stand on the first side."""
    samples: int
    sums: Array
    """What the measure counts over all pairs."""

    @property
    def constant(self) -> Array:
        """Which items have no unit that varies."""
        return np.asarray(self.counts[0] == self.widths)


@runtime_checkable
class Counting(Protocol):
    """A measure that says what it found apart from its scores; ``measure.EngineMeasure``."""

    name: ClassVar[str]

    @property
    def symmetric(self) -> bool: ...

    def counted_scores(
        self, library: Any, a: list[Any], b: list[Any] | None
    ) -> tuple[Any, Array | None, Array]:
        """Scores of all pairs, and counts and sums on the host, none without a wait."""
        ...

    def report(self, found: Found) -> None:
        """Warn of what was found."""
        ...


class Items(NamedTuple):
    """Representations to be compared with each other: 2-D, one dtype, one number of samples."""

    arrays: list[Array]
    labels: tuple[str, ...] | None
    library: Library


def read_items(
    function: str, name: str, items: Any, *, check_finite: bool = True, min_samples: int = 2
) -> Items:
    """A list, a mapping of labels or a stacked array ``(m, n, d)`` of representations."""
    (read,) = read_collections(
        function, {name: items}, check_finite=check_finite, min_samples=min_samples
    )
    return read


def read_collections(
    function: str,
    collections: Mapping[str, Any],
    *,
    check_finite: bool = True,
    min_samples: int = 2,
) -> list[Items]:
    """Several of them by their names: of one library, dtype and number of samples together."""
    listed = {name: _listed(function, name, items) for name, items in collections.items()}
    named = {key: value for values, _ in listed.values() for key, value in values.items()}
    if not named:
        return [Items([], labels, NUMPY) for _, labels in listed.values()]
    arrays, library = read(function, check_finite, **named)
    first = next(iter(named))
    for name, array in zip(named, arrays, strict=True):
        if array.ndim > 2:
            raise ValueError(
                f"{function}: {name} must be 2-D (n_samples, n_features), got shape "
                f"{array.shape}; feature maps and sequences go through lw.reduce first"
            )
        require_representation(function, name, array, min_samples)
        if array.shape[0] != arrays[0].shape[0]:
            raise ValueError(
                f"{function}: all items must have the same number of samples (axis 0), got "
                f"{first} of shape {arrays[0].shape} and {name} of shape {array.shape}"
            )
    views = dict(zip(named, arrays, strict=True))
    return [
        Items([views[key] for key in values], labels, library) for values, labels in listed.values()
    ]


def _listed(function: str, name: str, items: Any) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """The items by the names that errors give them, and their labels."""
    labels: tuple[str, ...] | None = None
    values: Sequence[Any]
    if isinstance(items, Mapping):
        for label in items:
            if not isinstance(label, str):
                raise InputTypeError(f"{function}: labels of {name} must be strings, got {label!r}")
        labels, values = tuple(items), list(items.values())
        names = [f"{name}[{label!r}]" for label in labels]
    else:
        if hasattr(items, "ndim"):
            if items.ndim != 3:
                raise ValueError(
                    f"{function}: {name} must be a list, a mapping or a stacked array (m, n, d), "
                    f"got an array of shape {tuple(items.shape)}"
                )
            values = [items[k] for k in range(items.shape[0])]
        else:
            values = _sequence(function, name, items)
        names = [f"{name}[{k}]" for k in range(len(values))]
    return dict(zip(names, values, strict=True)), labels


def _sequence(function: str, name: str, items: Any) -> list[Any]:
    wanted = f"{function}: {name} must be a list of arrays, a mapping of labels to arrays or a "
    try:
        values = list(items)
    except TypeError:
        raise InputTypeError(f"{wanted}stacked array, got {type(items).__name__}") from None
    if values and all(isinstance(v, tuple) and v and isinstance(v[0], str) for v in values):
        raise InputTypeError(f"{wanted}stacked array, got pairs; pass dict({name})")
    return values


def require_representation(function: str, name: str, array: Array, min_samples: int) -> None:
    """At least two axes, ``min_samples`` samples and one feature."""
    if array.ndim < 2:
        raise ValueError(
            f"{function}: {name} must have shape (..., n_samples, n_features), got {array.shape}"
        )
    if array.shape[-2] < min_samples:
        raise ValueError(
            f"{function}: {name} must have at least {min_samples} samples (axis -2), got shape "
            f"{array.shape}"
        )
    if array.shape[-1] == 0:
        raise ValueError(
            f"{function}: {name} must have at least one feature (axis -1), got shape {array.shape}"
        )


def first_of_repeats(counts: Array, side: Any) -> Array:
    """Counts ``(kinds, ...)`` of the items of a batch as ``(kinds, items)``, those that
    broadcasting repeats once, with the largest of their counts."""
    repeated = tuple(1 + k for k, stride in enumerate(side.strides[:-2]) if stride == 0)
    return np.asarray(counts.max(axis=repeated)).reshape(len(counts), -1)


def require_no_overflow(function: str, counts: Array, items: Sequence[Any]) -> None:
    """Raise ``ValueError`` where the CPU's engine met what is not finite in finite items."""
    for k in np.flatnonzero(counts < 0):
        if np.isfinite(items[int(k)]).all():
            raise ValueError(f"{function}: differences within an item overflow float64")


def give_scores(pair: Pair, scores: Any) -> Any:
    """Scores in the dtype and library of the inputs."""
    return pair.library.give(pair.library.cast(scores, pair.x.dtype))


def narrowed(measure: Any, library: Any, scores: Any, dtype: Any, name: str = "") -> Any:
    """Scores of a measure in the dtype of the inputs, infinite beyond its range, which is said
    (on devices after a wait, where the measure has no largest score)."""
    if scores.dtype == dtype:
        return scores
    with np.errstate(over="ignore"):
        narrow = library.cast(scores, dtype)
    if is_quiet() or all(map(math.isfinite, measure.range)):
        return narrow
    found = library.finish(library.infinite(scores, narrow))
    if found is not None and (lost := int(found[0][1] - found[0][0])):
        warn(
            f"{name or measure.name}: {lost} score{'s' * (lost != 1)} beyond the range of {dtype} "
            "(inf); divide the samples by their scale",
            OverflowWarning,
        )
    return narrow


def batch_size(batch: tuple[int, ...]) -> int:
    """Number of items that these leading axes hold."""
    return math.prod(batch)

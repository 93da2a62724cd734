"""Sums over batches of representations, where the batches are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import CPU, NUMPY, Array, library_of
from likewise._border.pairs import Items, read_collections
from likewise.errors import InputTypeError

__all__ = ["Sums"]

_WIDTHS = ("widths_a", "widths_b")


class Sums(ABC):
    """Sums over batches of two collections of representations, or of one with itself.

    They are NumPy arrays or, of batches on a device, arrays of the library of the first batch,
    there; float64, or int64 where they count.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._sums: dict[str, Any] = {}
        self._items: tuple[Items, Items | None] | None = None
        self._place = CPU
        self._from_state = False

    @property
    def state(self) -> dict[str, Array]:
        """All that was seen, as plain float64 and int64 NumPy arrays that can be stored or sent.

        A new accumulator of the same measure takes it; what several have seen is merged::

            other = lw.scale.Accumulator("cka")
            other.state = state  # of another worker
            stream.merge(other)

        Arrays of two states must not be added: every stream measures samples from the mean of its
        own first batch. Labels and the library of the items are no part of it.
        """
        if self._items is None:
            return {}
        widths = zip(_WIDTHS, self._widths(), strict=False)
        state: dict[str, Array] = {name: np.array(side, np.int64) for name, side in widths}
        return state | {name: array.copy() for name, array in self._host().items()}

    @state.setter
    def state(self, state: Mapping[str, Array]) -> None:
        if not state and self._items is None:
            return
        widths = [[int(width) for width in state[name]] for name in _WIDTHS if name in state]
        expected = widths if self._items is None else self._widths()
        shapes = {name: np.shape(array) for name, array in state.items()}
        own = self._shapes(expected) if expected else {}
        own |= {name: (len(side),) for name, side in zip(_WIDTHS, expected, strict=False)}
        if not expected or widths != expected or shapes != own:
            raise ValueError(
                f"{type(self).__name__}: a state must have the arrays of this accumulator and of "
                f"the widths that it has seen, expected {own or 'widths_a among them'}, got "
                f"{shapes}; states without widths_a are plain sums of version 0.1, which lack "
                "their shift"
            )
        arrays = {name: array for name, array in state.items() if name not in _WIDTHS}
        if self._items is None:
            a, *b = [Items([np.empty((0, d)) for d in side], None, NUMPY) for side in widths]
            self._items, self._from_state = (a, b[0] if b else None), True
        values: dict[str, Array] = {
            name: np.array(array, np.int64 if name == "counts" else np.float64)
            for name, array in arrays.items()
        }
        self._store(values, self._views("state")[1])
        self._restored(arrays)

    def _resume(self, items_a: Any, items_b: Any, arrays: Mapping[str, Any], samples: int) -> None:
        """Go on, in place, with the sums of `samples` that were like these items and are there."""
        self._begin(*self._read(items_a, items_b, False))
        there = np.asarray if self._place == CPU else (lambda array: array)
        self._sums = {name: there(array) for name, array in arrays.items()}

    def merge(self, other: Any) -> None:
        """Add the samples that another accumulator of the same kind has seen, in the same place."""
        if type(other) is not type(self) or other._settings() != self._settings():
            raise ValueError(
                f"{type(self).__name__}: only accumulators of the same measure and options merge"
            )
        if other._items is None:
            return
        library = (other if self._place == CPU else self)._views("merge")[1]
        theirs = {name: array.copy() for name, array in other._host().items()}
        if self._items is None:
            sums, self._place = theirs, other._place
        else:
            self._require_same(other._items, other._place, other._from_state)
            self._place = library.place
            sums = self._combined(self._host(), theirs)
        if self._items is None or self._from_state:
            self._items, self._from_state = other._items, other._from_state
        self._store(sums, library)

    @abstractmethod
    def _combined(self, own: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Array]:
        """These sums and those of another accumulator of the same items, which may be changed."""

    @abstractmethod
    def _settings(self) -> Any:
        """What two accumulators must have in common to merge."""

    @abstractmethod
    def _shapes(self, widths: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
        """Of all arrays of the state, for one or two collections of these widths."""

    def _restored(self, arrays: Mapping[str, Array]) -> None:
        """Called with the arrays of a state that was set."""
        del arrays  # they are all that is kept

    def _read(self, items_a: Any, items_b: Any, check_finite: bool) -> tuple[Items, Items | None]:
        """Items of the same labels and widths as before; on a device NaN is not found yet."""
        name = f"{type(self).__name__}.update"
        sides = {"items_a": items_a} | ({} if items_b is None else {"items_b": items_b})
        a, *rest = read_collections(name, sides, check_finite=check_finite, min_samples=0)
        b = rest[0] if rest else None
        if not a.arrays or (b is not None and not b.arrays):
            raise ValueError(f"{name}: at least one item is needed on each side")
        if self._items is not None:
            a = _in_order(a, self._items[0])
            b = b and _in_order(b, self._items[1])
            self._require_same((a, b), a.library.place)
        return a, b

    def _begin(self, a: Items, b: Items | None) -> None:
        """The first batch decides labels, widths and the place of the sums."""
        if self._items is None or self._from_state:
            self._follow(a.library)
            self._items = _without_samples(a), None if b is None else _without_samples(b)
            self._from_state = False

    def _follow(self, library: Any) -> None:
        """What came from a state goes where the samples are."""
        if library.place != self._place:
            self._store(self._sums, library)
            self._place = library.place

    def _require_same(
        self, given: tuple[Items, Items | None], place: str, from_state: bool = False
    ) -> None:
        assert self._items is not None
        unlabelled = from_state or self._from_state
        for name, own, new in zip(("items_a", "items_b"), self._items, given, strict=True):
            if _layout(own, unlabelled) != _layout(new, unlabelled):
                raise ValueError(
                    f"{type(self).__name__}: {name} must have the labels and widths of the first "
                    f"batch, {_layout(own, unlabelled)}, got {_layout(new, unlabelled)}"
                )
        if place != self._place and not (unlabelled and CPU in (place, self._place)):
            raise InputTypeError(
                f"{type(self).__name__}: all batches must come from one library and device, got "
                f"the first from {self._place} and another from {place}; move them, or keep one "
                "accumulator for each, whose states merge when new ones take them"
            )

    def _widths(self) -> list[list[int]]:
        """Of each collection that there is."""
        sides = [side for side in self._items or () if side is not None]
        return [[array.shape[1] for array in side.arrays] for side in sides]

    def _seen(self) -> tuple[Items, Items]:
        if self._items is None:
            raise ValueError(f"{type(self).__name__}.compute: no samples were seen")
        a, b = self._items
        return a, a if b is None else b

    def _computed(self, function: Callable[[dict[str, Array]], Array]) -> tuple[Any, Items, Items]:
        """What `function` makes of the sums, and the items; what it warns of names the stream."""
        a, b = self._seen()
        found = function(self._host())
        if self._place == CPU:
            return found, a, b
        library = self._views("compute")[1]
        return library.sent(found), a._replace(library=library), b._replace(library=library)

    def _views(self, method: str) -> tuple[dict[str, Any], Any]:
        """The sums as an engine takes them, and their library for a call."""
        first = next(iter(self._sums.values()), None)
        library = library_of(f"{type(self).__name__}.{method}", first)
        return {name: library.given(array) for name, array in self._sums.items()}, library

    def _host(self) -> dict[str, Array]:
        """The sums as NumPy arrays: themselves on CPUs, copies from a device."""
        views, library = self._views("compute")
        return {name: library.host(view) for name, view in views.items()}

    def _store(self, sums: Mapping[str, Array], library: Any) -> None:
        """Keep these sums where a library has its arrays."""
        self._sums = {name: library.kept(library.sent(array)) for name, array in sums.items()}

    def _total(self, library: Any, name: str, shape: tuple[int, ...]) -> Any:
        """The sum of that name, 0 at first, for the engine to add to."""
        if name not in self._sums:
            self._sums[name] = library.kept(library.zeros(shape, np.float64))
        return library.given(self._sums[name])


def _without_samples(items: Items) -> Items:
    """Widths and types. A device's library is one of a call, and does not stay."""
    arrays = [np.empty((0, array.shape[1]), array.dtype) for array in items.arrays]
    library = items.library if items.library.place == CPU else NUMPY
    return Items(arrays, items.labels, library)


def _in_order(items: Items, like: Items | None) -> Items:
    """The same labels in the order of others."""
    if like is None or not items.labels or sorted(items.labels) != sorted(like.labels or ()):
        return items
    arrays, labels = dict(zip(items.labels, items.arrays, strict=True)), like.labels or ()
    return items._replace(arrays=[arrays[label] for label in labels], labels=labels)


def _layout(items: Items | None, unlabelled: bool) -> Any:
    if items is None:
        return None
    widths = [array.shape[1] for array in items.arrays]
    return widths if unlabelled or not items.labels else [*zip(items.labels, widths, strict=True)]

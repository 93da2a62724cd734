"""Sums over batches of representations, where the batches are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._array import NUMPY, Array
from likewise._device import DeviceLibrary
from likewise._moments import DeviceMoments, Moments, augmented
from likewise._representations import Items, read_collections
from likewise.errors import InputTypeError

__all__ = ["Sums"]

_CPU = "the CPU"


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
        self._place = _CPU

    @property
    def state(self) -> dict[str, Array]:
        """The sums, plain float64 or int64 NumPy arrays. Sums of the states of several workers that
        saw the same representations are the state of all their samples."""
        if self._place == _CPU:
            return {name: array.copy() for name, array in self._sums.items()}
        views, library = self._views("state")
        return {name: library.host(view) for name, view in views.items()}

    @state.setter
    def state(self, sums: dict[str, Array]) -> None:
        shapes = {name: np.shape(array) for name, array in sums.items()}
        own = {name: tuple(array.shape) for name, array in self._sums.items()}
        if shapes != own:
            raise ValueError(
                f"{type(self).__name__}: a state must have the arrays of this accumulator, which "
                f"has seen items of other widths or none: expected {own}, got {shapes}"
            )
        if self._place == _CPU:
            for name, array in sums.items():
                self._sums[name] = np.array(array, self._sums[name].dtype)
        elif sums:
            views, library = self._views("state")
            for name, view in views.items():
                values = np.array(sums[name], view.dtype, order="C")
                library.engine.upload(values, view, library.run)

    def merge(self, other: Any) -> None:
        """Add the samples that another accumulator of the same kind has seen, in the same place."""
        if type(other) is not type(self) or other._settings() != self._settings():
            raise ValueError(
                f"{type(self).__name__}: only accumulators of the same measure and options merge"
            )
        if other._items is None:
            return
        if self._items is not None:
            self._require_same(other._items, other._place)
        if other._place != _CPU:
            self._merge_on_device(other)
        elif self._items is None:
            self._sums = other.state
        else:
            for name, array in other._sums.items():
                self._sums[name] += array
        self._items, self._place = self._items or other._items, other._place

    def _merge_on_device(self, other: Any) -> None:
        views, library = other._views("merge")
        for name, view in views.items():
            total = self._total(library, name, view.shape, view.dtype)
            library.engine.add(view, total, 0, library.run)

    @abstractmethod
    def _settings(self) -> Any:
        """What two accumulators must have in common to merge."""

    def _read(self, items_a: Any, items_b: Any, check_finite: bool) -> tuple[Items, Items | None]:
        """Items of the same labels and widths as before; on a device NaN is not found yet."""
        name = f"{type(self).__name__}.update"
        sides = {"items_a": items_a} | ({} if items_b is None else {"items_b": items_b})
        a, *rest = read_collections(name, sides, check_finite=check_finite, min_samples=1)
        b = rest[0] if rest else None
        if not a.arrays or (b is not None and not b.arrays):
            raise ValueError(f"{name}: at least one item is needed on each side")
        if self._items is not None:
            self._require_same((a, b), _place_of(a))
        return a, b

    def _begin(self, a: Items, b: Items | None) -> None:
        """The first batch decides labels, widths and the place of the sums."""
        if self._items is None:
            self._items = _without_samples(a), None if b is None else _without_samples(b)
            self._place = _place_of(a)

    def _require_same(self, given: tuple[Items, Items | None], place: str) -> None:
        assert self._items is not None
        for name, own, new in zip(("items_a", "items_b"), self._items, given, strict=True):
            if _layout(own) != _layout(new):
                raise ValueError(
                    f"{type(self).__name__}: {name} must have the labels and widths of the first "
                    f"batch, {_layout(own)}, got {_layout(new)}"
                )
        if place != self._place:
            raise InputTypeError(
                f"{type(self).__name__}: all batches must come from one library and device, got "
                f"the first from {self._place} and another from {place}; move them, or keep one "
                "accumulator for each and add their states"
            )

    def _seen(self) -> tuple[Items, Items]:
        if self._items is None:
            raise ValueError(f"{type(self).__name__}.compute: no samples were seen")
        a, b = self._items
        return a, a if b is None else b

    def _computed(
        self,
        function: Callable[[dict[str, Array]], Array],
        on_device: Callable[[Any, dict[str, Any]], Any],
    ) -> tuple[Any, Items, Items]:
        """What `function` makes of the sums or, where they are on a device, `on_device` of its
        library and views of them; and the items."""
        a, b = self._seen()
        if self._place == _CPU:
            return function(self._sums), a, b
        views, library = self._views("compute", findings=True)
        found = on_device(library, views)
        return found, a._replace(library=library), b._replace(library=library)

    def _views(self, method: str, findings: bool = False) -> tuple[dict[str, Any], Any]:
        """The sums on a device as its engine takes them; ``findings``: there will be some."""
        first = next(iter(self._sums.values()))
        library = DeviceLibrary(f"{type(self).__name__}.{method}", "state", first, 0)
        library.prepare(findings)
        return {name: library.given(array) for name, array in self._sums.items()}, library

    def _total(
        self, library: Any, name: str, shape: tuple[int, ...], dtype: Any = np.float64
    ) -> Any:
        """The sum of that name on a device, 0 at first."""
        if name in self._sums:
            return library.given(self._sums[name])
        total = library.zeros(shape, dtype)
        self._sums[name] = library.give(total)
        return total

    def _add(self, name: str, array: Array) -> None:
        if name in self._sums:
            self._sums[name] += array
        else:
            self._sums[name] = array

    def _add_moments(self, prefix: str, a: Items, b: Items | None, first: int, step: int) -> None:
        """The moments of every step-th sample from `first` on."""
        if a.library.engine is not _cpu:
            add: Any = self._add_products_on_device
        else:
            add = self._add_products
        add(f"{prefix}cross", a, b, slice(first, None, step))
        if b is None:
            return
        for side, items in (("a", a), ("b", b)):
            for k, item in enumerate(items.arrays):
                one = items._replace(arrays=[item])
                add(f"{prefix}{side}/{k}", one, None, slice(first, None, step))

    def _add_products(self, name: str, a: Items, b: Items | None, rows: slice) -> None:
        left = augmented([array[rows] for array in a.arrays])
        right = left if b is None else augmented([array[rows] for array in b.arrays])
        self._add(name, left.T @ right)

    def _add_products_on_device(self, name: str, a: Items, b: Items | None, rows: slice) -> None:
        library: Any = a.library
        sides = [a.arrays, a.arrays if b is None else b.arrays]
        height, width = (1 + sum(1 + item.shape[1] for item in side) for side in sides)
        total = self._total(library, name, (height, width))
        library.engine.add_moments(
            a.arrays, [] if b is None else b.arrays, (rows.start, rows.step), total, library.run
        )

    def _device_moments(
        self, library: Any, sums: dict[str, Any], prefix: str, min_samples: int = 0
    ) -> DeviceMoments:
        assert self._items is not None
        a, b = self._items
        widths = [[array.shape[1] for array in side.arrays] for side in (a, a if b is None else b)]
        alone = []
        if b is not None:
            for side, items in (("a", a), ("b", b)):
                alone += [sums[f"{prefix}{side}/{k}"] for k in range(len(items.arrays))]
        cross = sums[f"{prefix}cross"]
        return DeviceMoments(library, cross, alone, (widths[0], widths[1]), min_samples)

    def _moments(self, sums: dict[str, Array], prefix: str) -> Moments:
        assert self._items is not None
        a, b = self._items
        cross = sums[f"{prefix}cross"]
        widths = [array.shape[1] for array in a.arrays]
        if b is None:
            starts = np.cumsum([1 + len(widths), *widths])
            alone = []
            for k, (start, width) in enumerate(zip(starts, widths, strict=False)):
                index = np.r_[0, 1 + k, start : start + width]
                alone.append(cross[np.ix_(index, index)])
            return Moments(cross, (alone, alone), (widths, widths))
        sides = [
            [sums[f"{prefix}{side}/{k}"] for k in range(len(items.arrays))]
            for side, items in (("a", a), ("b", b))
        ]
        others = [array.shape[1] for array in b.arrays]
        return Moments(cross, (sides[0], sides[1]), (widths, others))


def _place_of(items: Items) -> str:
    """Libraries of the CPU may mix; the first decides that of the result."""
    return _CPU if items.library.engine is _cpu else items.library.name


def _without_samples(items: Items) -> Items:
    """Widths and types. A device's library is one of a call, and does not stay."""
    arrays = [np.empty((0, array.shape[1]), array.dtype) for array in items.arrays]
    library = items.library if items.library.engine is _cpu else NUMPY
    return Items(arrays, items.labels, library)


def _layout(items: Items | None) -> Any:
    if items is None:
        return None
    widths = [array.shape[1] for array in items.arrays]
    return dict(zip(items.labels, widths, strict=True)) if items.labels else widths

"""Sums of products over samples, measured from the mean of the first batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._border.arrays import Array
from likewise._border.pairs import Items
from likewise.measure.frames import Change, Frame, moved
from likewise.measure.moments import DeviceMoments, Moments
from likewise.scale._sums import Sums, copy_of

__all__ = ["MomentSums"]

_Part = tuple[str, int | None]
"""A side, "a" or "b", and one of its items or all of them."""


class MomentSums(Sums):
    """``A'B`` of the augmented data of two collections for every fold, ``A'A`` of every item where
    they are two, and the frame of each side."""

    _folds = 1
    """Samples go to so many in turn."""

    def _shapes(self, widths: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for side, items in zip("ab", widths, strict=False):
            shapes |= {f"shift_{side}": (sum(items),), f"unit_{side}": (len(items),)}
        for _, name, x, y in self._blocks(widths):
            shapes[name] = _width(widths, x), _width(widths, y)
        return shapes

    def _blocks(self, widths: Sequence[Sequence[int]]) -> Iterator[tuple[int, str, _Part, _Part]]:
        """Fold, name, rows and columns of every array of sums."""
        for fold in range(self._folds):
            yield fold, f"{fold}/cross", ("a", None), ("ab"[len(widths) - 1], None)
            if len(widths) == 1:
                continue
            for side, items in zip("ab", widths, strict=True):
                for k in range(len(items)):
                    yield fold, f"{fold}/{side}/{k}", (side, k), (side, k)

    def _add_samples(self, a: Items, b: Items | None, seen: int) -> None:
        """Those of a batch, after `seen` others."""
        sides = {"a": a} if b is None else {"a": a, "b": b}
        if a.library.engine is not _cpu:
            self._add_samples_on_device(sides, seen)
            return
        begun, data, changes = bool(self._sums), {}, {}
        for side, items in sides.items():
            frame = self._frame(side) if begun else Frame.of(items.arrays)
            to, data[side] = frame.measure(items.arrays)
            changes[side] = frame.to(to)
            self._sums |= {f"shift_{side}": to.shift, f"unit_{side}": to.unit}
        rescaled = begun and any((change.ratio != 1).any() for change in changes.values())
        widths = self._widths()
        for fold, name, x, y in self._blocks(widths):
            rows = slice((fold - seen) % self._folds, None, self._folds)
            left = _columns(data, widths, x)[rows]
            right = left if x == y else _columns(data, widths, y)[rows]
            if rescaled:
                self._sums[name] = moved(self._sums[name], _of(changes, x), _of(changes, y))
            self._add(name, left.T @ right)

    def _add_samples_on_device(self, sides: Mapping[str, Items], seen: int) -> None:
        library: Any = sides["a"].library
        begun, widths = bool(self._sums), self._widths()
        shapes, frames = self._shapes(widths), {}
        for side, items in sides.items():
            names = f"shift_{side}", f"unit_{side}"
            shift, unit = (self._total(library, name, shapes[name]) for name in names)
            if not begun:
                library.engine.begin_frame(items.arrays, shift, unit, library.run)
            ratio = library.empty(shapes[f"unit_{side}"], np.float64)
            library.engine.grow_units(items.arrays, shift, unit, ratio, library.run)
            frames[side] = shift, unit, ratio
        for fold, name, x, y in self._blocks(widths):
            library.engine.add_moments(
                _items(sides, x),
                [] if x == y else _items(sides, y),
                ((fold - seen) % self._folds, self._folds),
                [(*frames[part[0]], *_place(widths, part)) for part in (x, y)],
                self._total(library, name, shapes[name]),
                library.run,
            )

    def _combine(self, other: Any) -> None:
        """The other's sums are moved to the shift that is here; units become the larger ones."""
        if not self._on_cpu:
            self._combine_on_device(other)
            return
        own, others, widths = {}, {}, self._widths()
        for side in "ab"[: len(widths)]:
            frame, theirs = self._frame(side), other._frame(side)
            to = frame.reaching(theirs)
            own[side], others[side] = frame.to(to), theirs.to(to)
            self._sums[f"unit_{side}"] = to.unit
        for _, name, x, y in self._blocks(widths):
            self._sums[name] = moved(self._sums[name], _of(own, x), _of(own, y))
            self._sums[name] += moved(other._sums[name], _of(others, x), _of(others, y))

    def _combine_on_device(self, other: Any) -> None:
        views, library = other._views("merge")
        own, others, widths = {}, {}, self._widths()
        for side, items in zip("ab", widths, strict=False):
            mine = [library.given(self._sums[f"{name}_{side}"]) for name in ("shift", "unit")]
            theirs = [views[f"{name}_{side}"] for name in ("shift", "unit")]
            ratios = [library.empty((len(items),), np.float64) for _ in range(2)]
            step = library.empty((sum(items),), np.float64)
            library.engine.meet_frames(mine, theirs, items, ratios, step, library.run)
            own[side], others[side] = (ratios[0], None), (ratios[1], step)
        for _, name, x, y in self._blocks(widths):
            total = library.given(self._sums[name])
            for changes, sums in ((own, total), (others, part := copy_of(library, views[name]))):
                ends = [(*changes[side], *_place(widths, (side, k))) for side, k in (x, y)]
                cols = [_widths_of(widths, end) for end in (x, y)]
                library.engine.move_moments(sums, cols, ends, library.run)
            library.engine.add(part, total, 0, library.run)

    def _frame(self, side: str) -> Frame:
        widths = self._widths()["ab".index(side)]
        return Frame(widths, self._sums[f"shift_{side}"], self._sums[f"unit_{side}"])

    def _moments(self, sums: Mapping[str, Array], fold: int) -> Moments:
        widths, cross = self._widths(), sums[f"{fold}/cross"]
        if len(widths) == 1:
            frame, alone = self._frame("a"), []
            for k in range(len(widths[0])):
                index = _index(widths[0], k)
                alone.append(cross[np.ix_(index, index)])
            return Moments(cross, (alone, alone), (frame, frame))
        sides = [
            [sums[f"{fold}/{side}/{k}"] for k in range(len(items))]
            for side, items in zip("ab", widths, strict=True)
        ]
        return Moments(cross, (sides[0], sides[1]), (self._frame("a"), self._frame("b")))

    def _device_moments(
        self, library: Any, sums: Mapping[str, Any], fold: int, min_samples: int = 0
    ) -> DeviceMoments:
        widths = self._widths()
        cross, *alone = (sums[name] for k, name, *_ in self._blocks(widths) if k == fold)
        sides = "aa" if len(widths) == 1 else "ab"
        frames = [sums[f"{name}_{side}"] for side in sides for name in ("shift", "unit")]
        return DeviceMoments(library, cross, alone, (widths[0], widths[-1]), frames, min_samples)


def _widths_of(widths: Sequence[Sequence[int]], part: _Part) -> Sequence[int]:
    side, k = part
    items = widths["ab".index(side)]
    return items if k is None else [items[k]]


def _width(widths: Sequence[Sequence[int]], part: _Part) -> int:
    """Of the augmented data."""
    items = _widths_of(widths, part)
    return 1 + len(items) + sum(items)


def _place(widths: Sequence[Sequence[int]], part: _Part) -> tuple[int, int]:
    """The first item and the first unit."""
    side, k = part
    return k or 0, sum(widths["ab".index(side)][: k or 0])


def _index(widths: Sequence[int], k: int) -> Array:
    """Where the augmented data of one item are among those of all."""
    start = 1 + len(widths) + sum(widths[:k])
    return np.concatenate([[0, 1 + k], np.arange(start, start + widths[k])])


def _columns(data: Mapping[str, Array], widths: Sequence[Sequence[int]], part: _Part) -> Array:
    side, k = part
    return data[side] if k is None else data[side][:, _index(widths["ab".index(side)], k)]


def _of(changes: Mapping[str, Change], part: _Part) -> Change:
    side, k = part
    return changes[side] if k is None else changes[side].item(k)


def _items(sides: Mapping[str, Items], part: _Part) -> list[Array]:
    side, k = part
    return sides[side].arrays if k is None else [sides[side].arrays[k]]

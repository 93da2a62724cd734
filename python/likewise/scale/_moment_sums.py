"""Sums of products over samples, measured from the mean of the first batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items
from likewise.measure.frames import Change, Frame, moved
from likewise.measure.moments import Moments
from likewise.scale._sums import Sums

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
        library: Any = a.library
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

    def _combined(self, own: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Array]:
        """The other's sums are moved to the shift that is here; units become the larger ones."""
        widths = self._widths()
        ours, others, sums = {}, {}, dict(own)
        for side in "ab"[: len(widths)]:
            frame, other = self._frame(own, side), self._frame(theirs, side)
            to = frame.reaching(other)
            ours[side], others[side] = frame.to(to), other.to(to)
            sums[f"unit_{side}"] = to.unit
        for _, name, x, y in self._blocks(widths):
            sums[name] = moved(own[name], _of(ours, x), _of(ours, y))
            sums[name] += moved(theirs[name], _of(others, x), _of(others, y))
        return sums

    def _frame(self, sums: Mapping[str, Array], side: str) -> Frame:
        widths = self._widths()["ab".index(side)]
        return Frame(widths, sums[f"shift_{side}"], sums[f"unit_{side}"])

    def _moments(self, sums: Mapping[str, Array], fold: int) -> Moments:
        widths, cross = self._widths(), sums[f"{fold}/cross"]
        frames = [self._frame(sums, side) for side in "ab"[: len(widths)]]
        if len(widths) == 1:
            alone = []
            for k in range(len(widths[0])):
                index = _index(widths[0], k)
                alone.append(cross[np.ix_(index, index)])
            return Moments(cross, (alone, alone), (frames[0], frames[0]))
        sides = [
            [sums[f"{fold}/{side}/{k}"] for k in range(len(items))]
            for side, items in zip("ab", widths, strict=True)
        ]
        return Moments(cross, (sides[0], sides[1]), (frames[0], frames[1]))


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


def _of(changes: Mapping[str, Change], part: _Part) -> Change:
    side, k = part
    return changes[side] if k is None else changes[side].item(k)


def _items(sides: Mapping[str, Items], part: _Part) -> list[Array]:
    side, k = part
    return sides[side].arrays if k is None else [sides[side].arrays[k]]

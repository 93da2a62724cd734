"""Where sums over samples are measured from, and in what: means and sizes that cost no digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise._border.arrays import Array

__all__ = ["LEAST_UNIT", "Change", "Frame", "moved", "near_one", "power_above"]

_MOST_EXPONENT = 1000
LEAST_UNIT = 2.0**-_MOST_EXPONENT
"""Of items that have shown nothing."""


def moved(sums: Array, rows: Change, columns: Change) -> Array:
    """Sums ``A'B`` of augmented data as other frames of the two sides have them."""
    return columns.of_rows(rows.of_rows(sums).T).T


class Change(NamedTuple):
    """From one frame to another: ``u`` becomes ``ratio * u + step``."""

    widths: Sequence[int]
    ratio: Array
    """One per item."""
    step: Array
    """One per unit."""

    def item(self, k: int) -> Change:
        """Of one item alone."""
        return Change(self.widths[k : k + 1], self.ratio[k : k + 1], self.step[_units(self, k)])

    def of_rows(self, sums: Array) -> Array:
        """Of sums ``A'B`` of augmented data, where ``A`` changes."""
        first = 1 + len(self.widths)
        out = np.empty_like(sums)
        out[0] = sums[0]
        for k, ratio in enumerate(self.ratio):
            units = _units(self, k)
            step, rows = self.step[units], slice(first + units.start, first + units.stop)
            out[rows] = ratio * sums[rows]
            out[1 + k] = ratio**2 * sums[1 + k]
            if step.any():  # |r u + s|^2 = r^2 |u|^2 + 2 s'(r u) + |s|^2
                out[1 + k] += 2 * (step @ out[rows]) + (step @ step) * sums[0]
                out[rows] += np.outer(step, sums[0])
        return out


class Frame(NamedTuple):
    """Items side by side, measured as ``u = (x - shift) / unit``.

    Sums of products of ``u`` lose the square of the distance between shift and mean, in deviations;
    a unit, which is the same for all of an item and a power of two, keeps them from overflow.
    """

    widths: Sequence[int]
    shift: Array
    """One per unit, in units of the data."""
    unit: Array
    """One per item."""

    def item(self, k: int) -> Frame:
        """Of one item alone."""
        return Frame(self.widths[k : k + 1], self.shift[_units(self, k)], self.unit[k : k + 1])

    def reaching(self, other: Frame) -> Frame:
        """In units that hold what was measured from the shifts of either."""
        units = zip(self.unit, other.unit, strict=True)
        apart = np.abs(self.shift - other.shift)
        reach = [power_above(apart[_units(self, k)].max()) for k in range(len(self.widths))]
        return self._replace(unit=np.array([max(*u, r) for u, r in zip(units, reach, strict=True)]))

    def to(self, other: Frame) -> Change:
        """The change from this frame to another of units at least as large."""
        unit = np.repeat(other.unit, self.widths)
        return Change(self.widths, self.unit / other.unit, (self.shift - other.shift) / unit)


def _units(of: Change | Frame, k: int) -> slice:
    start = sum(of.widths[:k])
    return slice(start, start + of.widths[k])


def power_above(size: float) -> float:
    """The power of two that is the unit of what is of this size."""
    exponent = math.frexp(size)[1] if size else -_MOST_EXPONENT
    return 2.0 ** min(max(exponent, -_MOST_EXPONENT), _MOST_EXPONENT)


def near_one(x: Array, axis: Any = 0) -> tuple[Array, Array]:
    """``x`` times powers of two that bring its largest values along ``axis`` near 1, and the
    exponents of these powers: squares then neither overflow nor vanish."""
    exponents = -np.frexp(np.abs(x).max(axis=axis, keepdims=True))[1]
    return np.ldexp(x, exponents), exponents

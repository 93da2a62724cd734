"""Sums over samples that measures are functions of, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise.errors import warn_degenerate, warn_small_sample
from likewise.measure.frames import Frame, moved

__all__ = [
    "Moments",
    "UnitMoments",
    "directions_at_most",
    "pooled",
    "principal_axes",
    "require_samples",
    "whitening",
]

_NO_VARIANCE = 1024 * np.finfo(np.float64).eps


class UnitMoments(NamedTuple):
    """Of one representation, its samples centred, in its unit."""

    gram: Array
    """``X'X``; rows and columns of constant units are zero."""
    constant_units: int

    @property
    def is_constant(self) -> bool:
        return self.constant_units == len(self.gram)


class Moments:
    """Sums over ``samples`` of two collections of representations.

    Made of ``A'B`` for the augmented data of each side (:meth:`Frame.measure`), and ``A'A`` of
    every representation alone. All that is given here is in the units of the frames.
    """

    def __init__(
        self,
        cross: Array,
        alone: tuple[Sequence[Array], Sequence[Array]],
        frames: tuple[Frame, Frame],
    ) -> None:
        self.samples = round(float(cross[0, 0]))
        self.frames = frames
        self._cross = cross
        self._starts = [np.cumsum([1 + len(frame.widths), *frame.widths])[:-1] for frame in frames]
        rows = [self._one(matrix) for matrix in alone[0]]
        same = alone[1] is alone[0]
        columns = rows if same else [self._one(matrix) for matrix in alone[1]]
        self._alone = rows, columns
        self._raw_alone = alone

    def rows(self) -> list[UnitMoments]:
        """Of the first collection."""
        return self._alone[0]

    def columns(self) -> list[UnitMoments]:
        """Of the second collection."""
        return self._alone[1]

    def cross(self, i: int, j: int) -> Array:
        """``X_i'Y_j`` of centred samples; zeros for constant units."""
        x, y = self._units(0, i), self._units(1, j)
        product: Array = self._cross[x, y] - np.outer(self._cross[x, 0], self._cross[0, y]) / (
            self.samples
        )
        product[np.diag(self._alone[0][i].gram) == 0] = 0
        product[:, np.diag(self._alone[1][j].gram) == 0] = 0
        return product

    def unit(self, side: int, k: int) -> float:
        """What one is in units of the data, for a representation of side 0 or 1."""
        return float(self.frames[side].unit[k])

    def about_zero(self) -> Moments:
        """The sums of the samples as they are."""
        zero = [frame._replace(shift=np.zeros_like(frame.shift)) for frame in self.frames]
        to = [at.reaching(frame) for at, frame in zip(zero, self.frames, strict=True)]
        changes = [frame.to(at) for frame, at in zip(self.frames, to, strict=True)]
        alone = [
            [moved(matrix, change.item(k), change.item(k)) for k, matrix in enumerate(side)]
            for side, change in zip(self._raw_alone, changes, strict=True)
        ]
        same = self._raw_alone[0] is self._raw_alone[1]
        pair = alone[0], alone[0 if same else 1]
        return Moments(moved(self._cross, *changes), pair, (to[0], to[1]))

    def uncentred(self, i: int, j: int) -> Array:
        """``X_i'Y_j`` of samples less the shifts of the frames."""
        product: Array = self._cross[self._units(0, i), self._units(1, j)]
        return product

    def raw(self, side: int, k: int) -> tuple[Array, Array]:
        """Sums of x and ``X'X`` of one of side 0 or 1, of samples less the shift of its frame."""
        matrix = self._raw_alone[side][k]
        return matrix[0, 2:], matrix[2:, 2:]

    def fourth(self, i: int, j: int) -> float:
        """``sum |x|^2 |y|^2`` of centred samples."""
        x, y = self._units(0, i), self._units(1, j)
        return _fourth(self._cross, x, y, 1 + i, 1 + j)

    def fourth_alone(self, side: int, k: int) -> float:
        """``sum |x|^4`` of centred samples."""
        matrix = self._raw_alone[side][k]
        units = slice(2, len(matrix))
        return _fourth(matrix, units, units, 1, 1)

    def warn(self, function: str, flexible: bool = True, dropped: int = 0) -> None:
        """Of constant units, directions ``dropped`` and, if ``flexible``, of few samples."""
        items = {id(item): item for item in self.rows() + self.columns()}.values()
        constants = np.array([item.constant_units for item in items])
        widths = np.array([len(item.gram) for item in items])
        _warn(function, constants, widths, self.samples, flexible, dropped)

    def _units(self, side: int, k: int) -> slice:
        start = int(self._starts[side][k])
        return slice(start, start + self.frames[side].widths[k])

    def _one(self, matrix: Array) -> UnitMoments:
        sums, raw = matrix[0, 2:], matrix[2:, 2:]
        gram = raw - np.outer(sums, sums) / self.samples
        constant = np.diag(gram) <= _NO_VARIANCE * np.diag(raw)
        gram[constant] = 0
        gram[:, constant] = 0
        return UnitMoments(gram, int(constant.sum()))


def require_samples(function: str, needed: int, samples: int) -> None:
    """``ValueError`` if a stream has seen fewer than the measure needs."""
    if samples < needed:
        raise ValueError(
            f"Accumulator.compute: {function} needs at least {needed} samples, got {samples}"
        )


def pooled(moments: Sequence[Moments]) -> Moments:
    """The sums of all folds together, which are of the same frames."""
    first = moments[0]
    cross = np.sum([m._cross for m in moments], axis=0)
    alone = [
        [np.sum([m._raw_alone[side][k] for m in moments], axis=0) for k in range(len(frame.widths))]
        for side, frame in enumerate(first.frames)
    ]
    same = first._raw_alone[0] is first._raw_alone[1]
    return Moments(cross, (alone[0], alone[0 if same else 1]), first.frames)


def whitening(gram: Array, samples: int) -> Array:
    """W such that ``XW`` has orthonormal columns, which span the directions of X that exist.

    Those have eigenvalues of the Gram matrix of units scaled to unit norm that are above
    ``max(n, d) * eps`` of the largest: scaling units changes nothing. Sums of products resolve
    singular values down to about 1e-7 of the largest one; smaller directions, which the samples
    themselves would show, are dropped.
    """
    sizes = np.sqrt(np.diag(gram))
    scale = np.divide(1, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    values, vectors = np.linalg.eigh(gram * scale * scale[:, None])
    kept = values > max(samples, len(gram)) * np.finfo(np.float64).eps * values[-1]
    white: Array = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    return white


def principal_axes(gram: Array, white: Array) -> tuple[Array, Array]:
    """``XW`` turned to the principal axes of X: eigenvalues along them, ascending, and the W."""
    within = white.T @ gram
    values, vectors = np.linalg.eigh(within @ within.T)
    return np.maximum(values, 0), white @ vectors


def directions_at_most(gram: Array, samples: int, center: bool = True) -> int:
    """How many directions these units can have."""
    return min(int(np.count_nonzero(np.diag(gram))), samples - center)


def _warn(
    function: str,
    constants: Array,
    widths: Array,
    samples: int,
    flexible: bool,
    dropped: int = 0,
) -> None:
    constant = constants == widths
    warn_degenerate(function, int(constants[~constant].sum()), int(constant.sum()), dropped)
    if flexible:
        warn_small_sample(function, samples, int(widths.max()), 0)


def _fourth(sums: Array, x: slice, y: slice, qx: int, qy: int) -> float:
    n = sums[0, 0]
    mean_x, mean_y = sums[x, 0] / n, sums[0, y] / n
    square_x, square_y = mean_x @ mean_x, mean_y @ mean_y
    return float(
        sums[qx, qy]
        - 2 * sums[qx, y] @ mean_y
        - 2 * mean_x @ sums[x, qy]
        + square_y * sums[qx, 0]
        + square_x * sums[0, qy]
        + 4 * mean_x @ sums[x, y] @ mean_y
        - 3 * n * square_x * square_y
    )

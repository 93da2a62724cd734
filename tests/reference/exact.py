"""What definitions share: numbers without rounding, and where rounding would decide."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

EPS = float(np.finfo(np.float64).eps)


class Undecided(Exception):  # noqa: N818
    """Rounding decides, or the definition does not: nothing can be asked."""


def power_of(x: Array) -> int:
    """Exponent of a power of two above all numbers."""
    return int(np.frexp(np.abs(x).max(initial=0))[1])


def near_one(x: Array) -> Array:
    """The numbers in extended precision and in units of a power of two, which rounds nothing."""
    return np.ldexp(x.astype(np.longdouble), -power_of(x))


def centred(x: Array) -> Array:
    """Less the mean, constant units exactly 0; see :func:`near_one`."""
    moved = near_one(x)
    moved = moved - moved[0]
    return moved - moved.mean(axis=0)


def varying(x: Array) -> Array:
    return (x != x[0]).any(axis=0)


def ranked(values: Array, bound: float, near: float = 1e-8) -> Array:
    """Which singular values are above rounding: clearly so, or clearly not."""
    share = values / values[0]
    if ((share > bound / 2) & (share < near)).any():
        raise Undecided("rank")
    return share > bound


def directions(x: Array, units: bool = True) -> tuple[Array, Array]:
    """Principal axes of the samples and singular values, of units of unit norm or as they are."""
    c = centred(x)[:, varying(x)]
    if units:
        c = c / np.sqrt((c**2).sum(axis=0))
    u, s, _ = np.linalg.svd(c.astype(np.float64), full_matrices=False)
    kept = ranked(s, max(x.shape) * EPS)
    return u[:, kept], s[kept]


def constant(*sides: Array) -> bool:
    return any(not varying(side).any() for side in sides)

"""What regressions on a representation share: its preparation, and penalties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array

__all__ = [
    "GRID",
    "MOST_PENALTY",
    "Sources",
    "checked_alphas",
    "default_alphas",
    "near_one",
    "scaled_columns",
    "sources",
]

# From hardly any shrinkage to so much that more would no longer change the correlation.
GRID = np.logspace(-6, 4, 21)
MOST_PENALTY = 1e100  # a penalty in units of the squared norm at which all is shrunk away


class Sources(NamedTuple):
    """Representations to predict from: of unit norm, rotated where that makes them smaller."""

    data: list[Array]
    alphas: list[Array]
    """Penalties in the data's own units."""
    penalties: list[list[float]]
    """The same in units of the squared norm."""
    constant_units: list[int]


def sources(items: Sequence[Array], alphas: Sequence[float] | None, center: bool) -> Sources:
    """Always in float64: penalties reach to where float32 has no digits left.

    With ``center`` variances are about means, which folds take out on their own.
    """
    scaled = [scaled_columns(item, center, axis=None) for item in items]
    prepared = _cpu.procrustes_prepare(
        [data for data, _ in scaled], False, True, 1.0, "similarity", _engine.threads()
    )
    out = Sources([], [], [], [])
    for (data, norm, constant, _), (wide, exponent) in zip(prepared, scaled, strict=True):
        spread = 1 - len(data) * float((data.mean(axis=0) ** 2).sum()) if center else 1.0
        relative = default_alphas(wide, spread, constant)
        with np.errstate(over="ignore", under="ignore"):  # squares may not fit any number
            norm = float(np.ldexp(norm, -exponent.item()))
            grid = relative * norm * norm if alphas is None else np.asarray(alphas, np.float64)
            penalties = relative if alphas is None else grid / norm / norm if norm else grid
        out.data.append(data)
        out.alphas.append(grid)
        out.penalties.append(np.minimum(penalties, MOST_PENALTY).tolist())
        out.constant_units.append(constant)
    return out


def near_one(x: Array, axis: Any = 0) -> tuple[Array, Array]:
    """``x`` times powers of two that bring its largest values along ``axis`` near 1, and the
    exponents of these powers: squares then neither overflow nor vanish."""
    exponents = -np.frexp(np.abs(x).max(axis=axis, keepdims=True))[1]
    return np.ldexp(x, exponents), exponents


def scaled_columns(x: Array, center: bool = True, axis: int | None = 0) -> tuple[Array, Array]:
    """Columns times powers of two that bring them near 1, and the exponents of these powers.

    One power for all with ``axis=None``. With ``center`` columns are moved to the middle of a few
    samples, which no single one can carry away: equal values become exact zeros, and what means
    are taken of is small.
    """
    x, exponents = near_one(x.astype(np.float64), axis)
    if not center:
        return x, exponents
    x, more = near_one(x - np.median(x[:: max(1, len(x) // 9)][:9], axis=0), axis)
    return x, exponents + more


def default_alphas(x: Array, squares: float, constant_units: int = 0) -> Array:
    """The default grid for data of this shape and squared Frobenius norm."""
    grid: Array = GRID * (squares / max(min(len(x) - 1, x.shape[1] - constant_units), 1))
    return grid


def checked_alphas(function: str, alphas: Any) -> tuple[float, ...] | None:
    if alphas is None:
        return None
    values = np.atleast_1d(np.asarray(alphas, np.float64))
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"{function}: alphas must be finite numbers of at least 0, got {alphas!r}")
    return tuple(values.tolist())
